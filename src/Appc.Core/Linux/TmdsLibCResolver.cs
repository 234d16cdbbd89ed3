using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Appc.Linux;

/// <summary>
/// Finds Tmds.LibC when this assembly was loaded by its path alone, as PowerShell's Add-Type does.
/// </summary>
/// <remarks>
/// Tmds.LibC has one implementation for each platform, below <c>runtimes/</c> in a portable publish. Only a host
/// with a deps.json that lists it finds it there.
/// </remarks>
internal static class TmdsLibCResolver
{
    private const string Name = "Tmds.LibC";

    [SuppressMessage("Usage", "CA2255", Justification = "Nothing else of this assembly is sure to run before the reference is needed.")]
    [ModuleInitializer]
    internal static void Register()
    {
        // Ahead of time everything is linked into one file and there is nothing to find.
        if (RuntimeFeature.IsDynamicCodeSupported
            && AssemblyLoadContext.GetLoadContext(typeof(TmdsLibCResolver).Assembly) is { } context)
        {
            context.Resolving += Resolve;
        }
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location, in a single file, means that there is nothing to find.")]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The assembly is a direct reference of this one.")]
    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        string location = typeof(TmdsLibCResolver).Assembly.Location;
        if (name.Name != Name || location.Length == 0 || !OperatingSystem.IsLinux())
        {
            return null;
        }

        string rid = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "linux-x64",
            Architecture.Arm64 => "linux-arm64",
            Architecture.Arm => "linux-arm",
            _ => "none",
        };
        string path = Path.Combine(Path.GetDirectoryName(location)!, "runtimes", rid, "lib", "netstandard2.0", Name + ".dll");
        return File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
    }
}
