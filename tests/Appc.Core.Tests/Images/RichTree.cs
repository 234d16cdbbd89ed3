namespace Appc.Core.Tests.Images;

/// <summary>A tree with everything that an image can hold.</summary>
internal static class RichTree
{
    // Version 2, effective, cap_net_bind_service.
    public static readonly byte[] Capability = Convert.FromHexString("0100000200040000000000000000000000000000");

    public static void Fill(string root)
    {
        string longName = new('n', 200);
        string longPath = string.Join('/', Enumerable.Repeat("directory-of-some-length", 12));
        ImageFixture.Shell($$"""
            set -e
            cd '{{root}}'
            mkdir -p usr/bin etc 'white space' {{longPath}} tmp empty deep/er
            printf 'hello\n' > etc/hello
            printf '' > etc/nothing
            head -c 700000 /dev/urandom > usr/bin/large
            head -c 512 /dev/zero > usr/bin/block
            ln etc/hello etc/hello-too
            ln -s /etc/hello absolute
            ln -s ../../../../etc/passwd up
            ln -s {{longName}}/{{longName}} long-target
            ln -s hello etc/soft; ln etc/soft etc/soft-too
            printf x > {{longName}}
            printf x > {{longPath}}/leaf
            ln {{longPath}}/leaf {{longPath}}/leaf-too
            printf 'bytes' > $'odd-\xff\xfe-\n-name'
            printf 'x' > 'white space/and "quotes"'
            mkfifo pipe; mknod null c 1 3; mknod disk b 8 1
            cp usr/bin/block usr/bin/su; chown 1234:4321 usr/bin/su; chmod 6755 usr/bin/su
            chmod 1777 tmp; chmod 2750 deep; chmod 0500 deep/er
            truncate -s 3000000 holes; printf 'a' | dd of=holes conv=notrunc bs=1 seek=1000000 status=none; printf 'end' | dd of=holes conv=notrunc bs=1 seek=2999997 status=none
            chown 2147483648:4000000000 etc/nothing
            touch -h -d '2001-02-03 04:05:06.123456789' etc/hello absolute usr/bin/large
            touch -d '1969-12-31 23:59:58.25' etc/nothing
            """);
        ImageFixture.SetAttribute(Path.Combine(root, "etc/hello"), "user.note", [0, (byte)'a', 0xff, (byte)'=', (byte)'\n']);
        ImageFixture.SetAttribute(Path.Combine(root, "etc"), "user.of-a-directory", "x"u8.ToArray());
        ImageFixture.SetAttribute(Path.Combine(root, "usr/bin/large"), "security.capability", Capability);
        ImageFixture.Shell($"cd '{root}' && touch -d '2010-01-01 00:00:00.5' etc usr tmp deep/er && touch -d '2011-01-01' .");
    }
}
