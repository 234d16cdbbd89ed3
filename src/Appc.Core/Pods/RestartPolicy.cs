using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Appc.Pods;

/// <summary>
/// Whether an app that has ended is started again by the pod's own process manager, and how often. It waits before each new start:
/// <see cref="Delay"/>, then twice as long each time, up to <see cref="MaxDelay"/>. An app that has run for longer
/// than <see cref="MaxDelay"/> waits for <see cref="Delay"/> only. A pod that is stopped starts nothing again.
/// </summary>
public sealed record RestartPolicy
{
    /// <summary>
    /// The annotation of apps in a pod that holds the policy, as <see cref="ToString"/> writes it. Images have no say in it.
    /// </summary>
    public const string AnnotationName = "appc.io/executor/restart";

    /// <summary>The longest delay or window: 1,000,000 seconds.</summary>
    private const double MostSeconds = 1_000_000;

    private static readonly (RestartMode Mode, string Name)[] s_names =
        [(RestartMode.Never, "never"), (RestartMode.OnFailure, "on-failure"), (RestartMode.Always, "always")];

    /// <summary>The app is not started again.</summary>
    public static RestartPolicy Never { get; } = new() { Mode = RestartMode.Never };

    /// <summary>After which ends it is started again.</summary>
    /// <value>The default value is <see cref="RestartMode.OnFailure"/>.</value>
    public RestartMode Mode { get; init; } = RestartMode.OnFailure;

    /// <summary>How long it waits before its first new start, in whole milliseconds.</summary>
    /// <value>The default value is 1 second.</value>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long it waits at most. Not less than <see cref="Delay"/>.</summary>
    /// <value>The default value is 60 seconds.</value>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How often it is started again within <see cref="Window"/>. Its next end is then its last one, and counts for the pod's exit policy.
    /// </summary>
    /// <value>The default value is null: there is no limit.</value>
    public int? MaxRestarts { get; init; }

    /// <summary>The time in which starts are counted, from the first of them on; when it is over they are counted anew. In whole seconds.</summary>
    /// <value>The default value is null: the whole life of the pod.</value>
    public TimeSpan? Window { get; init; }

    /// <summary>
    /// Reads <c>never</c>, <c>on-failure</c> or <c>always</c>, the last two perhaps with <c>:N</c> for the number of restarts, and
    /// with <c>,delay=S</c>, <c>,max-delay=S</c>, <c>,restarts=N</c>, <c>,window=S</c>, times in seconds.
    /// </summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static RestartPolicy Parse(string text) => TryParse(text, out RestartPolicy? policy)
        ? policy
        : throw new FormatException("a restart policy is never, on-failure[:N] or always[:N], with ,delay=S ,max-delay=S ,restarts=N ,window=S in seconds");

    /// <summary>As <see cref="Parse"/>, for text that may be anything.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RestartPolicy? policy)
    {
        policy = null;
        string[] parts = (text ?? "").Split(',');
        string[] head = parts[0].Split(':', 2);
        if (s_names.FirstOrDefault(n => n.Name == head[0]) is not { Name: not null } mode)
        {
            return false;
        }

        RestartPolicy read = new() { Mode = mode.Mode };
        foreach (string part in head.Length == 2 ? [.. parts.Skip(1), "restarts=" + head[1]] : parts.Skip(1))
        {
            string[] pair = part.Split('=', 2);
            double number = pair.Length == 2
                && double.TryParse(pair[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value <= int.MaxValue ? value : -1;
            if (number < 0 || (pair[0] != "restarts" && number > MostSeconds))
            {
                return false;
            }

            switch (pair[0])
            {
                case "delay": read = read with { Delay = TimeSpan.FromSeconds(number) }; break;
                case "max-delay": read = read with { MaxDelay = TimeSpan.FromSeconds(number) }; break;
                case "window": read = read with { Window = TimeSpan.FromSeconds(number) }; break;
                case "restarts" when number == Math.Floor(number): read = read with { MaxRestarts = (int)number }; break;
                default: return false;
            }
        }

        // One who names a longer delay only wants it kept.
        policy = read.MaxDelay < read.Delay && !parts.Any(p => p.StartsWith("max-delay=", StringComparison.Ordinal)) ? read with { MaxDelay = read.Delay } : read;
        return policy.FindFault() is null;
    }

    /// <summary>The policy as text that <see cref="Parse"/> reads.</summary>
    public override string ToString()
    {
        string name = s_names.First(n => n.Mode == Mode).Name;
        return Mode == RestartMode.Never
            ? name
            : $"{name},delay={Seconds(Delay)},max-delay={Seconds(MaxDelay)}"
                + (MaxRestarts is { } count ? string.Create(CultureInfo.InvariantCulture, $",restarts={count}") : "")
                + (Window is { } window ? $",window={Seconds(window)}" : "");

        static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
    }

    /// <summary>What is wrong with it; null if nothing is.</summary>
    internal string? FindFault() =>
        !Enum.IsDefined(Mode) ? "has no mode that is known"
        : Delay < TimeSpan.Zero || Delay.TotalSeconds > MostSeconds ? "has a delay that is not of 0 to 1,000,000 seconds"
        : MaxDelay < Delay || MaxDelay.TotalSeconds > MostSeconds ? "has a longest delay that is below its delay or above 1,000,000 seconds"
        : MaxRestarts < 0 ? "has a negative number of restarts"
        : Window is { } window && (window < TimeSpan.FromSeconds(1) || window.TotalSeconds > MostSeconds) ? "has a window that is not of 1 to 1,000,000 seconds"
        : null;
}
