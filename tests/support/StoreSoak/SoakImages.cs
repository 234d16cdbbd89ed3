using System.Globalization;
using Appc.Images;
using Appc.Manifests;

namespace Appc.StoreSoak;

/// <summary>
/// The images: ten that stand alone, twenty that depend on two of these, ten with a pathWhitelist, and ten that depend on
/// those and have one of their own.
/// </summary>
internal static class SoakImages
{
    public const int Count = 50;

    /// <summary>Images that the driver holds from the beginning to the end; what they depend on may not go either.</summary>
    public static readonly int[] Pinned = [0, 12, 33, 44];

    public static string Name(int number) => $"example.com/soak-{number.ToString("D2", CultureInfo.InvariantCulture)}";

    public static string Archive(string directory, int number) => Path.Combine(directory, $"{number}.aci");

    /// <summary>A file that every tree in which the image takes part on top has, and what is in it.</summary>
    public static (string Path, string Content) Marker(int number) => ($"own/{number}", $"content of {number}\n");

    public static int[] DependenciesOf(int number) => number switch
    {
        < 10 => [],
        < 30 => [number % 10, (number + 3) % 10],
        < 40 => [number % 10, number - 20],
        _ => [number - 10, number % 7],
    };

    public static async Task<ImageId[]> BuildAsync(string directory)
    {
        var ids = new ImageId[Count];
        for (int number = 0; number < Count; number++)
        {
            string rootfs = Directory.CreateDirectory(Path.Combine(directory, $"rootfs-{number}")).FullName;
            (string path, string content) = Marker(number);
            Directory.CreateDirectory(Path.Combine(rootfs, "own"));
            Directory.CreateDirectory(Path.Combine(rootfs, "shared"));
            await File.WriteAllTextAsync(Path.Combine(rootfs, path), content);
            for (int file = 0; file < 12; file++)
            {
                await File.WriteAllTextAsync(Path.Combine(rootfs, "shared", $"{number}-{file}"), new string((char)('a' + file), 100 * file * (number + 1)));
            }

            string dependencies = string.Join(',', DependenciesOf(number).Select(d => $$"""{"imageName":"{{Name(d)}}"}"""));
            string whitelist = number < 30 ? "" : string.Join(',', DependenciesOf(number).Append(number).Select(d => $"\"/own/{d}\"").Append("\"/shared\""));
            ImageManifest manifest = ImageManifest.Parse(
                $$"""{"acKind":"ImageManifest","acVersion":"0.8.11","name":"{{Name(number)}}","dependencies":[{{dependencies}}],"pathWhitelist":[{{whitelist}}]}""");
            ids[number] = await AciWriter.BuildAsync(manifest, rootfs, Archive(directory, number));
        }

        return ids;
    }
}
