using System.Text;

namespace Appc.Fetching;

/// <summary>The template of an ac-discovery tag (specification: App Container Image Discovery, Discovery Templates).</summary>
internal static class DiscoveryTemplate
{
    /// <summary>
    /// Puts values in place of the variables, in one pass, so that a value is never taken for a variable.
    /// Null, and the variable's text, if the template asks for something that has no value.
    /// </summary>
    public static string? Render(string template, IReadOnlyDictionary<string, string> values, out string? missing)
    {
        var result = new StringBuilder(template.Length);
        bool literalOpen = false;
        int at = 0;
        missing = null;
        while (at < template.Length)
        {
            char c = template[at];
            int next = c == '{' ? template.AsSpan(at + 1).IndexOfAny('{', '}') : -1;
            if (next >= 0 && template[at + 1 + next] == '}')
            {
                string variable = template.Substring(at + 1, next);
                if (!values.TryGetValue(variable, out string? value))
                {
                    missing = "{" + variable + "}";
                    return null;
                }

                result.Append(value);
                at += next + 2;
                continue;
            }

            // A brace that opens here and closes later encloses no known variable either.
            if (c == '}' && literalOpen)
            {
                missing = "{...}";
                return null;
            }

            literalOpen |= c == '{';
            result.Append(c);
            at++;
        }

        return result.ToString();
    }
}
