using System.Text.Json;
using Appc.Cli.Output;
using Appc.Pods;

namespace Appc.Cli.Commands;

/// <summary>How pods are shown.</summary>
internal static class PodText
{
    public static string State(PodState state) => state switch
    {
        PodState.Preparing => "preparing",
        PodState.AbortedPrepare => "aborted prepare",
        PodState.Prepared => "prepared",
        PodState.Running => "running",
        PodState.Exited => "exited",
        PodState.ExitedGarbage => "exited garbage",
        PodState.Garbage => "garbage",
        PodState.Deleting => "deleting",
        _ => "gone",
    };

    public static string State(AppState state) => state.ToString().ToLowerInvariant();

    public static string End(AppStatus app) =>
        app.ExitCode is { } code ? $"exited {code}"
        : app.Signal is { } signal ? $"killed by {signal}"
        : State(app.State);

    private static string Restarts(AppStatus app) =>
        app.RestartCount == 0 && app.State != AppState.Restarting ? string.Empty
        : $", started again {app.RestartCount} times, ended with {(app.LastExitCode is { } code ? $"{code}" : app.LastSignal ?? "an unknown status")}";

    public static void Write(Utf8JsonWriter json, PodStatus pod, IReadOnlyList<PodIsolator>? isolators = null)
    {
        json.WriteStartObject();
        json.WriteString("uuid", pod.Uuid);
        json.WriteString("name", pod.Name);
        json.WriteStartObject("labels");
        foreach ((string key, string value) in pod.Labels)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
        json.WriteString("state", State(pod.State));
        json.WriteBoolean("ready", pod.Ready);
        json.WriteTime("created", pod.Created);
        json.WriteTime("started", pod.Started);
        json.WriteTime("finished", pod.Finished);
        json.WriteNumberOrNull("pid", pod.Pid);
        json.WriteNumberOrNull("exitCode", pod.ExitCode);
        json.WriteString("stage1", pod.Stage1);
        json.WriteStrings("networks", []);
        json.WriteStartArray("apps");
        foreach (AppStatus app in pod.Apps)
        {
            Write(json, app);
        }

        json.WriteEndArray();
        if (isolators is not null)
        {
            json.WriteStartArray("isolators");
            foreach (PodIsolator isolator in isolators)
            {
                json.WriteStartObject();
                json.WriteString("app", isolator.App?.ToString());
                json.WriteString("name", isolator.Name.ToString());
                json.WriteString("outcome", isolator.Enforced ? "enforced" : "ignored");
                json.WriteString("reason", isolator.Reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, AppStatus app)
    {
        json.WriteStartObject();
        json.WriteString("name", app.Name.ToString());
        json.WriteString("imageId", app.ImageId.ToString());
        json.WriteString("state", State(app.State));
        json.WriteBoolean("ready", app.Ready);
        json.WriteNumberOrNull("exitCode", app.ExitCode);
        json.WriteString("signal", app.Signal);
        json.WriteNumber("restarts", app.RestartCount);
        json.WriteNumberOrNull("lastExitCode", app.LastExitCode);
        json.WriteString("lastSignal", app.LastSignal);
        json.WriteTime("started", app.Started);
        json.WriteTime("finished", app.Finished);
        json.WriteEndObject();
    }

    public static void Write(TextWriter output, PodStatus pod, IReadOnlyList<PodIsolator> isolators)
    {
        Line("uuid", pod.Uuid);
        Line("name", pod.Name ?? string.Empty);
        Line("labels", Labels(pod));
        Line("state", State(pod.State) + (pod.State == PodState.Running && !pod.Ready ? ", not ready" : ""));
        Line("stage1", pod.Stage1);
        Line("created", Time(pod.Created));
        Line("started", Time(pod.Started));
        Line("finished", Time(pod.Finished));
        Line("pid", pod.Pid?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? string.Empty);
        foreach (AppStatus app in pod.Apps)
        {
            Line("app " + app.Name, End(app) + Restarts(app));
        }

        foreach (PodIsolator isolator in isolators.Where(i => !i.Enforced))
        {
            Line("ignored", $"{isolator.Name} of {(isolator.App is { } app ? $"the app {app}" : "the pod")}: {isolator.Reason}");
        }

        void Line(string what, string value)
        {
            if (value.Length > 0)
            {
                output.WriteLine(Clean.Line($"{what + ":",-10}{value}"));
            }
        }
    }

    public static string Labels(PodStatus pod) => string.Join(' ', pod.Labels.Select(l => $"{l.Key}={l.Value}"));

    public static string Kind(PodEventKind kind) => kind switch
    {
        PodEventKind.AppEnded => "app-ended",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string Time(DateTimeOffset? time) => time is { } value ? ImageText.Time(value) : string.Empty;
}
