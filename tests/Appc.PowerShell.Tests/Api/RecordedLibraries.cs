using System.Diagnostics;
using Appc.MemberRecorder;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Appc.PowerShell.Tests.Api;

/// <summary>Copies of the published libraries whose public members tell the <see cref="Recorder"/> that they were called.</summary>
public static class RecordedLibraries
{
    public static readonly string[] Names = ["Appc.Core", "Appc.Signing", "Appc.Stage1"];

    /// <summary>Writes the libraries, and all that they need, to a directory.</summary>
    public static void Write(string directory)
    {
        foreach (string file in Directory.EnumerateFiles(PowerShellScripts.Modules, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(directory, Path.GetRelativePath(PowerShellScripts.Modules, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        string recorder = typeof(Recorder).Assembly.Location;
        File.Copy(recorder, Path.Combine(directory, Path.GetFileName(recorder)));
        foreach (string name in Names)
        {
            using AssemblyDefinition library = Read(name);
            MethodReference called = library.MainModule.ImportReference(typeof(Recorder).GetMethod(nameof(Recorder.Called)));
            foreach (MethodDefinition method in Methods(library).Where(m => m.HasBody))
            {
                ILProcessor code = method.Body.GetILProcessor();
                Instruction first = method.Body.Instructions[0];
                code.InsertBefore(first, code.Create(OpCodes.Ldstr, PublicMember.Of(method).Name));
                code.InsertBefore(first, code.Create(OpCodes.Call, called));
            }

            // A caller that is inlined, or jumps instead of calling, would not be seen.
            CustomAttribute debuggable = library.CustomAttributes.Single(a => a.AttributeType.Name == nameof(DebuggableAttribute));
            debuggable.ConstructorArguments[0] = new CustomAttributeArgument(
                debuggable.ConstructorArguments[0].Type, (int)(DebuggableAttribute.DebuggingModes.Default | DebuggableAttribute.DebuggingModes.DisableOptimizations));
            library.Write(Path.Combine(directory, name + ".dll"));
        }
    }

    /// <summary>All that a user of the libraries can name.</summary>
    public static IReadOnlyList<PublicMember> Members()
    {
        List<PublicMember> members = [];
        foreach (string name in Names)
        {
            AssemblyDefinition library = Read(name);
            members.AddRange(Methods(library).Select(PublicMember.Of));
            members.AddRange(from type in Types(library)
                             from field in type.Fields
                             where field.IsPublic && !field.IsSpecialName
                             select PublicMember.Of(field));
        }

        return members;
    }

    public static IEnumerable<TypeDefinition> Types(AssemblyDefinition library) =>
        from type in library.MainModule.GetTypes()
        where type.IsPublic || (type.IsNestedPublic && type.DeclaringType.IsPublic)
        select type;

    private static IEnumerable<MethodDefinition> Methods(AssemblyDefinition library) =>
        from type in Types(library)
        from method in type.Methods
        where method.IsPublic
        select method;

    private static AssemblyDefinition Read(string name)
    {
        var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(PowerShellScripts.Modules);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        return AssemblyDefinition.ReadAssembly(Path.Combine(PowerShellScripts.Modules, name + ".dll"), new ReaderParameters { AssemblyResolver = resolver });
    }
}
