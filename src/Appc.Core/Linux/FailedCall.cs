using System.Globalization;
using System.Runtime.CompilerServices;

namespace Appc.Linux;

/// <summary>Text about a system call that is only made if the call failed: most do not, and there are many.</summary>
[InterpolatedStringHandler]
internal ref struct FailedCall
{
    private DefaultInterpolatedStringHandler _text;

    public FailedCall(int literalLength, int formattedCount, nint result, out bool failed)
    {
        failed = result < 0;
        _text = failed ? new(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public override string ToString() => _text.ToStringAndClear();
}
