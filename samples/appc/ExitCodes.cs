namespace Appc.Cli;

internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>The answer of <c>validate</c> or <c>image verify</c> is no.</summary>
    public const int AnswerIsNo = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Nobody takes the output any more: as of a program that SIGPIPE has ended.</summary>
    public const int BrokenPipe = 141;

    /// <summary>Anything else that fails on the side of this program.</summary>
    public const int Failure = 254;
}
