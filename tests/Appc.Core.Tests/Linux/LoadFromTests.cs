using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Appc.Linux;

/// <summary>
/// A host that knows the library by its path alone, as PowerShell's Add-Type does: nothing lists the dependencies.
/// </summary>
public sealed class LoadFromTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("appc-loadfrom-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_portable_publish_loaded_by_its_path_makes_system_calls()
    {
        // The layout of a portable publish: the platform's implementation lies below runtimes/ only.
        string library = Directory.CreateDirectory(Path.Combine(_directory, "publish")).FullName;
        File.Copy(typeof(LaunchPlan).Assembly.Location, Path.Combine(library, "Appc.Core.dll"));
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "runtimes"), "Tmds.LibC.dll", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(library, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        string host = WriteHost();
        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["exec", host, Path.Combine(library, "Appc.Core.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", error);
        Assert.Equal(0, process.ExitCode);

        // The address of the launch code, which it has mapped through Tmds.LibC.
        Assert.NotEqual(0, long.Parse(output, System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// A program that says <c>Console.WriteLine(Assembly.LoadFrom(args[0]).GetType(stub).GetMethod("Map", …).Invoke(null, null))</c>.
    /// </summary>
    private string WriteHost()
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("host"), typeof(object).Assembly);
        TypeBuilder type = assembly.DefineDynamicModule("host").DefineType("Program", TypeAttributes.Class | TypeAttributes.Public);
        MethodBuilder main = type.DefineMethod("Main", MethodAttributes.Public | MethodAttributes.Static, typeof(void), [typeof(string[])]);
        ILGenerator il = main.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Call, typeof(Assembly).GetMethod("LoadFrom", [typeof(string)])!);
        il.Emit(OpCodes.Ldstr, "Appc.Linux.LaunchStub");
        il.Emit(OpCodes.Callvirt, typeof(Assembly).GetMethod("GetType", [typeof(string)])!);
        il.Emit(OpCodes.Ldstr, "Map");
        il.Emit(OpCodes.Ldc_I4, (int)(BindingFlags.Static | BindingFlags.NonPublic));
        il.Emit(OpCodes.Callvirt, typeof(Type).GetMethod("GetMethod", [typeof(string), typeof(BindingFlags)])!);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Callvirt, typeof(MethodBase).GetMethod("Invoke", [typeof(object), typeof(object[])])!);
        il.Emit(OpCodes.Call, typeof(Console).GetMethod("WriteLine", [typeof(object)])!);
        il.Emit(OpCodes.Ret);
        type.CreateType();

        MetadataBuilder metadata = assembly.GenerateMetadata(out BlobBuilder code, out BlobBuilder fields);
        var image = new ManagedPEBuilder(
            PEHeaderBuilder.CreateExecutableHeader(), new MetadataRootBuilder(metadata), code, fields,
            entryPoint: MetadataTokens.MethodDefinitionHandle(main.MetadataToken));
        var blob = new BlobBuilder();
        image.Serialize(blob);
        string path = Path.Combine(_directory, "host.dll");
        File.WriteAllBytes(path, blob.ToArray());
        File.WriteAllText(
            Path.Combine(_directory, "host.runtimeconfig.json"),
            """{"runtimeOptions":{"tfm":"net10.0","framework":{"name":"Microsoft.NETCore.App","version":"VERSION"}}}"""
                .Replace("VERSION", Environment.Version.ToString(), StringComparison.Ordinal));
        return path;
    }
}
