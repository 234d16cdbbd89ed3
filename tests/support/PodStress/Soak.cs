namespace Appc.PodStress;
internal static class Soak { public static Task<int> RunAsync(int pods, int seconds, string directory) => Task.FromResult(0); }
