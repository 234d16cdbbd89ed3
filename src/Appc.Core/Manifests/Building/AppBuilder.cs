namespace Appc.Manifests;

/// <summary>Makes an <see cref="App"/> from plain text, step by step. Every method gives the builder back.</summary>
public sealed class AppBuilder
{
    private readonly List<EventHandlerSpec> _handlers = [];
    private readonly List<EnvironmentVariable> _environment = [];
    private readonly List<MountPoint> _mountPoints = [];
    private readonly List<Port> _ports = [];
    private readonly List<Isolator> _isolators = [];
    private App _app = new();

    /// <summary>Sets the program and its arguments.</summary>
    public AppBuilder SetExec(params string[] exec)
    {
        _app = _app with { Exec = exec };
        return this;
    }

    /// <summary>Sets the user and group to run as.</summary>
    /// <param name="user">A name, a number, or an absolute path whose owner is meant.</param>
    /// <param name="group">The same for the group.</param>
    public AppBuilder SetUser(string user, string group)
    {
        _app = _app with { User = user, Group = group };
        return this;
    }

    /// <summary>Sets the numbers of further groups.</summary>
    public AppBuilder SetSupplementaryGids(params long[] gids)
    {
        _app = _app with { SupplementaryGids = gids };
        return this;
    }

    /// <summary>Sets the working directory.</summary>
    /// <param name="path">An absolute path.</param>
    public AppBuilder SetWorkingDirectory(string path)
    {
        _app = _app with { WorkingDirectory = path };
        return this;
    }

    /// <summary>Sets an environment variable, in place of an earlier one of the name.</summary>
    public AppBuilder SetEnvironment(string name, string value)
    {
        _environment.RemoveAll(variable => variable.Name == name);
        _environment.Add(new EnvironmentVariable(name, value));
        return this;
    }

    /// <summary>Adds a program that is run when something happens to the app.</summary>
    /// <param name="name"><c>pre-start</c> or <c>post-stop</c>.</param>
    /// <param name="exec">The program and its arguments.</param>
    public AppBuilder AddEventHandler(string name, params string[] exec)
    {
        _handlers.Add(new EventHandlerSpec(name, exec));
        return this;
    }

    /// <summary>Adds a place where a volume is expected.</summary>
    /// <exception cref="ManifestException">The name is not an AC Name.</exception>
    public AppBuilder AddMountPoint(string name, string path, bool readOnly = false)
    {
        _mountPoints.Add(new MountPoint(AcName.Parse(name), path, readOnly));
        return this;
    }

    /// <summary>Adds a port, or a range of ports, that the app listens on.</summary>
    /// <exception cref="ManifestException">The name is not an AC Name.</exception>
    public AppBuilder AddPort(string name, int number, string protocol = "tcp", int count = 1, bool socketActivated = false)
    {
        _ports.Add(new Port { Name = AcName.Parse(name), Number = number, Protocol = protocol, Count = count, SocketActivated = socketActivated });
        return this;
    }

    /// <summary>Adds something that the app is confined by.</summary>
    public AppBuilder AddIsolator(Isolator isolator)
    {
        _isolators.Add(isolator);
        return this;
    }

    /// <summary>Limits the processors.</summary>
    /// <param name="limit">Cores as a quantity, such as <c>500m</c>.</param>
    /// <exception cref="ManifestException">It is not a quantity.</exception>
    public AppBuilder LimitCpu(string limit) => AddIsolator(new CpuIsolator(Quantity.Parse(limit)));

    /// <summary>Limits the memory.</summary>
    /// <param name="limit">Bytes as a quantity, such as <c>512Mi</c>.</param>
    /// <exception cref="ManifestException">It is not a quantity.</exception>
    public AppBuilder LimitMemory(string limit) => AddIsolator(new MemoryIsolator(Quantity.Parse(limit)));

    /// <summary>The app as it stands.</summary>
    public App Build() => _app with
    {
        EventHandlers = _handlers,
        Environment = _environment,
        MountPoints = _mountPoints,
        Ports = _ports,
        Isolators = _isolators,
    };
}
