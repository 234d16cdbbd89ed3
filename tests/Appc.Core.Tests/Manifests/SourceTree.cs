using System.Runtime.CompilerServices;

namespace Appc.Core.Tests.Manifests;

/// <summary>Files of the source tree that tests of manifests read.</summary>
internal static class SourceTree
{
    public static string Path(string relative, [CallerFilePath] string here = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "../../..", relative));
}
