namespace Appc.Conformance.Tests.Images;

/// <summary>Finds files of <c>tests/data</c>.</summary>
internal static class TestData
{
    private static readonly string Directory = Find();

    public static string File(string name) => Path.Combine(Directory, name);

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            string path = Path.Combine(d.FullName, "tests", "data");
            if (System.IO.Directory.Exists(path))
            {
                return path;
            }
        }

        throw new DirectoryNotFoundException("tests/data");
    }
}
