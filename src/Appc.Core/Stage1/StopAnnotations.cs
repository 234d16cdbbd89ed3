using System.Globalization;
using Appc.Manifests;
using Appc.Pods;

namespace Appc.Stage1;

/// <summary>
/// How an app is asked to stop, and for how long: annotations of the app in the pod's manifest, so that whoever stops
/// the pod, in whatever process, does it in the same way.
/// </summary>
internal static class StopAnnotations
{
    internal const int DefaultSignal = 15;

    /// <summary>What an app has that says nothing.</summary>
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>An image may not keep a host waiting for longer; a pod may.</summary>
    internal static readonly TimeSpan LongestOfImage = TimeSpan.FromSeconds(90);

    private const double MostSeconds = 1_000_000;
    private static readonly string[] Names = [Stage1App.StopTimeoutAnnotation, Stage1App.StopSignalAnnotation];

    internal static bool IsOne(Annotation annotation) => Names.Contains(annotation.Name.ToString());

    /// <summary>The annotations of an app in a pod, made of what the pod asks for and else of what its image says.</summary>
    internal static IEnumerable<Annotation> Decide(AppSpec spec, AcName name, List<string> faults)
    {
        List<Annotation> decided = [];
        string? timeout = spec.StopTimeout is { } time ? Seconds(time) : Find(spec.Annotations, Stage1App.StopTimeoutAnnotation);
        string? ofImage = Find(spec.Image.Manifest.Annotations, Stage1App.StopTimeoutAnnotation);
        if ((timeout ?? ofImage) is { } text)
        {
            if (ReadTimeout(text) is not { } read)
            {
                faults.Add(Printable.Text($"the app {name} has the stop timeout '{text}', which is not a number of seconds above 0"));
            }
            else
            {
                decided.Add(new Annotation(Stage1App.StopTimeoutAnnotation, Seconds(timeout is null && read > LongestOfImage ? LongestOfImage : read)));
            }
        }

        if ((spec.StopSignal ?? Find(spec.Annotations, Stage1App.StopSignalAnnotation) ?? Find(spec.Image.Manifest.Annotations, Stage1App.StopSignalAnnotation)) is { } signal)
        {
            if (ReadSignal(signal) is not { } number)
            {
                faults.Add(Printable.Text($"the app {name} has the stop signal '{signal}', which is no signal such as SIGTERM"));
            }
            else
            {
                decided.Add(new Annotation(Stage1App.StopSignalAnnotation, SignalNumbers.NameOf(number.ToString(CultureInfo.InvariantCulture))));
            }
        }

        return decided;
    }

    internal static TimeSpan? TimeoutOf(RuntimeApp app) => Find(app.Annotations, Stage1App.StopTimeoutAnnotation) is { } text ? ReadTimeout(text) : null;

    internal static int SignalOf(RuntimeApp app) =>
        (Find(app.Annotations, Stage1App.StopSignalAnnotation) is { } text ? ReadSignal(text) : null) ?? DefaultSignal;

    private static string? Find(IEnumerable<Annotation> annotations, string name) => annotations.FirstOrDefault(a => a.Name.ToString() == name)?.Value;

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    private static TimeSpan? ReadTimeout(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.001 and <= MostSeconds
            ? TimeSpan.FromSeconds(seconds) : null;

    private static int? ReadSignal(string text)
    {
        const int Last = 64;
        int number = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int plain) ? plain
            : SignalNumbers.Of(text.StartsWith("SIG", StringComparison.Ordinal) ? text : "SIG" + text);
        return number is > 0 and <= Last ? number : null;
    }
}
