using Mono.Cecil;

namespace Appc.PowerShell.Tests.Api;

/// <summary>A method, constructor, accessor or constant that a user of the libraries can name.</summary>
/// <param name="Name">Type, name and parameters.</param>
/// <param name="Definition">Where it is defined.</param>
public sealed record PublicMember(string Name, IMemberDefinition Definition)
{
    public static PublicMember Of(MethodDefinition method) => new(
        $"{method.DeclaringType.FullName}.{method.Name}({string.Join(", ", method.Parameters.Select(p => p.ParameterType.FullName))})", method);

    public static PublicMember Of(FieldDefinition field) => new($"{field.DeclaringType.FullName}.{field.Name}", field);

    /// <summary>Whether the compiler adds it to every record, for which PowerShell has words of its own (<c>-eq</c>, <c>-ne</c>, string, properties).</summary>
    public bool IsOfEveryRecord => Definition is MethodDefinition method
        && method.DeclaringType.Methods.Any(m => m.Name == "<Clone>$")
        && method.Name is "<Clone>$" or "Deconstruct" or "Equals" or "GetHashCode" or "ToString" or "op_Equality" or "op_Inequality"
        && (method.Name == "<Clone>$" || method.HasCustomAttributes);
}
