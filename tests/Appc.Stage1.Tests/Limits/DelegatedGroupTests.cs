namespace Appc.Stage1.Limits;

/// <summary>Where groups with controllers can be made on hosts of version 2: control group trees made of plain files.</summary>
public sealed class DelegatedGroupTests : IDisposable
{
    private readonly string _mount = Directory.CreateTempSubdirectory("appc-cgroup-").FullName;
    private readonly HashSet<string> _delegated = [];

    public void Dispose() => Directory.Delete(_mount, recursive: true);

    [Fact]
    public void Below_a_unit_whose_processes_are_in_a_subgroup()
    {
        Make("", typed: false, processes: "1\n");
        Make("system.slice");
        Make("system.slice/app.service", delegated: true);
        Make("system.slice/app.service/main", processes: "10\n");
        DelegatedGroup found = Find("system.slice/app.service/main");
        Assert.Equal((_mount + "/system.slice/app.service", null), (found.Directory, found.Problem));
        Assert.Equal(["cpu", "io", "memory"], found.Controllers);
    }

    [Fact]
    public void Not_below_a_unit_whose_own_group_holds_this_process()
    {
        Make("", typed: false);
        Make("system.slice");
        Make("system.slice/app.service", processes: "10\n", delegated: true);
        DelegatedGroup found = Find("system.slice/app.service");
        Assert.Null(found.Directory);
        Assert.Contains("app.service", found.Problem, StringComparison.Ordinal);
        Assert.Contains("DelegateSubgroup=", found.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Not_in_what_belongs_to_systemd()
    {
        Make("", typed: false);
        Make("system.slice");
        Make("system.slice/app.service", processes: "10\n");
        DelegatedGroup found = Find("system.slice/app.service");
        Assert.Null(found.Directory);
        Assert.Contains("belongs to systemd", found.Problem, StringComparison.Ordinal);
        Assert.Contains("Delegate=yes", found.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void In_the_root_of_a_machine_that_nobody_manages_groups_on()
    {
        Make("", typed: false, processes: "1\n10\n");
        Assert.Equal(_mount, Find("").Directory);
    }

    [Fact]
    public void In_the_root_of_a_namespace_that_no_process_lives_in()
    {
        Make("");
        Make("host", processes: "10\n");
        Assert.Equal(_mount, Find("host").Directory);
        Make("", processes: "1\n");
        Assert.Null(Find("host").Directory);
    }

    [Fact]
    public void A_controller_of_either_version_can_be_used_and_a_missing_one_says_why()
    {
        LimitHost mixed = new(
            new Dictionary<string, string> { [LimitHost.Cpu] = "/cpu", [LimitHost.Io] = "/blkio" }, new DelegatedGroup("/unified", ["pids", "memory"]));
        Assert.Null(mixed.WhyNot(LimitHost.Cpu));
        Assert.Null(mixed.WhyNot(LimitHost.Memory));
        Assert.Contains("page cache", mixed.WhyNot(LimitHost.Io)!.Value.Reason, StringComparison.Ordinal);
        LimitHost lacking = new(new Dictionary<string, string>(), new DelegatedGroup("/unified", ["pids", "memory"]));
        Assert.Contains("no controller for cpu", lacking.WhyNot(LimitHost.Cpu)!.Value.Reason, StringComparison.Ordinal);
        LimitHost none = new(new Dictionary<string, string>(), new DelegatedGroup(null, [], "why", "what to do"));
        Assert.Equal(("why", "what to do"), none.WhyNot(LimitHost.Memory));
    }

    private DelegatedGroup Find(string own) => DelegatedGroup.Find(_mount, $"{_mount}/{own}".TrimEnd('/'), _delegated.Contains);

    private void Make(string name, bool typed = true, string processes = "", bool delegated = false)
    {
        string directory = $"{_mount}/{name}".TrimEnd('/');
        Directory.CreateDirectory(directory);
        File.WriteAllText(directory + "/cgroup.procs", processes);
        File.WriteAllText(directory + "/cgroup.controllers", "cpu io memory\n");
        if (typed)
        {
            File.WriteAllText(directory + "/cgroup.type", "domain\n");
        }

        if (delegated)
        {
            _delegated.Add(directory);
        }
    }
}
