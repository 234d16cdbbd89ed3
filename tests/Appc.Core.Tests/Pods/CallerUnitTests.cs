using System.Net.Sockets;
using System.Text;
using Appc.Pods;

namespace Appc.Core.Tests.Pods;

public sealed class CallerUnitTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_reported_reaches_the_socket(bool isAbstract)
    {
        string name = "appc-notify-" + Guid.NewGuid().ToString("N");
        string path = Path.Combine(Path.GetTempPath(), name);
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : path));
        CallerUnit unit = CallerUnit.Read(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = isAbstract ? "@" + name : path }.GetValueOrDefault, 1);
        Assert.True(unit.AwaitsReadiness);
        Assert.Empty(unit.Sockets);

        unit.NotifyStatus("two\nlines");
        unit.NotifyReady();
        unit.NotifyStopping();

        byte[] buffer = new byte[64];
        Assert.Equal(["STATUS=two lines", "READY=1", "STOPPING=1"], Enumerable.Range(0, 3).Select(_ => Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer))));
        File.Delete(path);
    }

    [Fact]
    public void A_service_manager_that_is_gone_is_an_error() =>
        Assert.Throws<SocketException>(CallerUnit.Read(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "/nowhere/notify" }.GetValueOrDefault, 1).NotifyReady);

    [Fact]
    public void Without_a_service_manager_nobody_is_told()
    {
        CallerUnit unit = CallerUnit.Read(_ => null, 1);
        Assert.False(unit.AwaitsReadiness);
        Assert.Empty(unit.Sockets);
        unit.NotifyReady();
    }

    [Fact]
    public void Sockets_that_are_meant_for_another_process_are_left_alone()
    {
        Dictionary<string, string> environment = new() { ["LISTEN_PID"] = "2", ["LISTEN_FDS"] = "1", ["LISTEN_FDNAMES"] = "http" };
        Assert.Empty(CallerUnit.Read(environment.GetValueOrDefault, 1).Sockets);
    }
}
