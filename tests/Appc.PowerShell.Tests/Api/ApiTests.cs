using System.Text.RegularExpressions;
using Mono.Cecil;

namespace Appc.PowerShell.Tests.Api;

/// <summary>The whole public interface of the libraries, used by scripts.</summary>
public sealed partial class ApiTests(ApiScripts scripts) : IClassFixture<ApiScripts>
{
    /// <summary>What no script calls, each with the reason and with what a script uses instead.</summary>
    private static readonly (string Member, string Reason, string Instead)[] s_exceptions = [];

    public static TheoryData<string> Names => [.. ApiScripts.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_script_prints_what_it_must(string name)
    {
        ScriptRun run = await scripts.RunAsync(name);

        Assert.True(run.ExitCode == 0, run.Error);
        string expected = await File.ReadAllTextAsync(Path.Combine(ApiScripts.Scripts, name + ".expected.txt"));
        Assert.Equal(expected.TrimEnd(), string.Join('\n', run.Output).TrimEnd());
    }

    [Fact]
    public async Task Every_public_member_is_called_by_a_script()
    {
        HashSet<string> called = new(StringComparer.Ordinal);
        string text = "";
        foreach (string name in ApiScripts.Names)
        {
            called.UnionWith((await scripts.RunAsync(name)).Called);
            text += await File.ReadAllTextAsync(Path.Combine(ApiScripts.Scripts, name + ".ps1"));
        }

        IReadOnlyList<PublicMember> members = RecordedLibraries.Members();
        HashSet<string> named = [.. ValueOfType().Matches(text).Select(m => m.Groups["type"].Value + "." + m.Groups["member"].Value)];
        IEnumerable<string> missing = from member in members
                                      where !member.IsOfEveryRecord && !IsUsed(member)
                                      select member.Name;
        Assert.Equal(s_exceptions.Select(e => e.Member).Order(StringComparer.Ordinal), missing.Order(StringComparer.Ordinal));
        Assert.All(s_exceptions, e => Assert.Contains(members, m => m.Name == e.Instead && IsUsed(m)));

        // What has no code leaves no trace: a constant is named, an interface is implemented as a whole.
        bool IsUsed(PublicMember member) =>
            member.Definition is FieldDefinition field ? named.Contains(member.Name) || named.Contains($"{field.DeclaringType.Name}.{field.Name}")
            : member.Definition is MethodDefinition { IsAbstract: true } method && method.DeclaringType.IsInterface ? called.Contains("implements " + method.DeclaringType.FullName)
            : called.Contains(member.Name);
    }

    [Fact]
    public void Every_public_method_has_a_form_without_references_to_the_stack_and_without_type_arguments()
    {
        IEnumerable<string> unusable =
            from member in RecordedLibraries.Members()
            let method = member.Definition as MethodDefinition
            where method is not null && !IsPlain(method)
            where !method.DeclaringType.Methods.Any(m => m.IsPublic && m.Name == method.Name && IsPlain(m))
            select member.Name;

        Assert.Empty(unusable);

        static bool IsPlain(MethodDefinition method) =>
            !method.HasGenericParameters && !method.Parameters.Select(p => p.ParameterType).Append(method.ReturnType).Any(IsOfTheStack);

        static bool IsOfTheStack(TypeReference type) => type.Name is "Span`1" or "ReadOnlySpan`1" || type.IsPointer
            || (type is ByReferenceType reference && IsOfTheStack(reference.ElementType));
    }

    [GeneratedRegex(@"\[(?<type>[\w.]+)\]::(?<member>\w+)")]
    private static partial Regex ValueOfType();
}
