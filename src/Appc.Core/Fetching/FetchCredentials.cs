using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Appc.Fetching;

/// <summary>
/// User names, passwords and tokens for servers, each for a host, or for a part of its paths. They are sent over https
/// only, and never follow a redirect to another host.
/// </summary>
public sealed class FetchCredentials
{
    private const int MaxFileBytes = 1 << 20;
    private readonly Dictionary<string, AuthenticationHeaderValue> _entries = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The hosts and paths that there are credentials for.</summary>
    public IReadOnlyList<string> Domains => _entries.Keys.Order(StringComparer.Ordinal).ToArray();

    /// <summary>Adds a user name and password; replaces what was there for the domain.</summary>
    /// <param name="domain"><c>host[:port][/path]</c>. The path covers itself and what lies below it.</param>
    /// <param name="user">The user name, without a colon.</param>
    /// <param name="password">The password.</param>
    public void AddBasic(string domain, string user, string password)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(password);
        if (user.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException("A user name cannot hold a colon.", nameof(user));
        }

        _entries[Key(domain)] = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
    }

    /// <summary>Adds a bearer token; replaces what was there for the domain.</summary>
    /// <param name="domain"><c>host[:port][/path]</c>. The path covers itself and what lies below it.</param>
    /// <param name="token">The token.</param>
    public void AddBearer(string domain, string token)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        if (token.Any(c => c is <= ' ' or > '~'))
        {
            throw new ArgumentException("A token is made of visible ASCII characters.", nameof(token));
        }

        _entries[Key(domain)] = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>
    /// Reads the <c>*.json</c> files of configuration directories (rkt's <c>auth.d</c>). Later directories override
    /// earlier ones; directories that do not exist are passed over.
    /// </summary>
    /// <param name="directories">For instance <c>/usr/lib/appc/auth.d</c>, then <c>/etc/appc/auth.d</c>.</param>
    /// <exception cref="FetchException">A file cannot be read, or two files of one directory are for the same domain.</exception>
    public static FetchCredentials Load(params string[] directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        var result = new FetchCredentials();
        foreach (string directory in directories.Where(Directory.Exists))
        {
            var origin = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (string file in Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal))
            {
                result.Read(file, origin);
            }
        }

        return result;
    }

    /// <summary>The header for an address: that of the longest matching path; null if there is none.</summary>
    internal AuthenticationHeaderValue? Find(Uri url)
    {
        string path = url.AbsolutePath.TrimEnd('/');
        string withPort = $"{url.IdnHost}:{url.Port}";
        while (true)
        {
            if (_entries.TryGetValue(withPort + path, out AuthenticationHeaderValue? found)
                || (url.IsDefaultPort && _entries.TryGetValue(url.IdnHost + path, out found)))
            {
                return found;
            }

            if (path.Length == 0)
            {
                return null;
            }

            path = path[..path.LastIndexOf('/')];
        }
    }

    private static string Key(string domain)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(domain);
        return domain.Contains("://", StringComparison.Ordinal) || domain.StartsWith('/') || domain.Any(c => c is '?' or '#' or '@' || char.IsWhiteSpace(c) || char.IsControl(c))
            ? throw new ArgumentException("A domain is written host[:port][/path].", nameof(domain))
            : domain.TrimEnd('/');
    }

    private void Read(string file, Dictionary<string, string> origin)
    {
        try
        {
            if (new FileInfo(file).Length > MaxFileBytes)
            {
                throw new FormatException("it is longer than 1 MiB");
            }

            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            string kind = Text(root, "rktKind");
            if (kind == "dockerAuth")
            {
                return;
            }

            if (kind != "auth" || Text(root, "rktVersion") != "v1")
            {
                throw new FormatException("it is not of rktKind auth, rktVersion v1");
            }

            string type = Text(root, "type");
            foreach (JsonElement domain in Member(root, "domains", JsonValueKind.Array).EnumerateArray())
            {
                string name = domain.ValueKind == JsonValueKind.String ? domain.GetString()! : throw new FormatException("domains must hold texts");
                if (!origin.TryAdd(Key(name), file))
                {
                    throw new FormatException($"{DisplayText.Clean(origin[Key(name)])} is for '{DisplayText.Clean(name)}' too");
                }

                JsonElement credentials = Member(root, "credentials", JsonValueKind.Object);
                switch (type)
                {
                    case "basic":
                        AddBasic(name, Text(credentials, "user"), Text(credentials, "password"));
                        break;
                    case "oauth":
                        AddBearer(name, Text(credentials, "token"));
                        break;
                    default:
                        throw new FormatException($"the type '{DisplayText.Clean(type)}' is not supported; basic and oauth are");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or ArgumentException)
        {
            // What a JSON reader says about the text could quote a secret, so only its place is told.
            string why = e is JsonException json ? $"it is not JSON (line {json.LineNumber + 1})" : DisplayText.Clean(e.Message);
            throw new FetchException(FetchFailure.Configuration, $"cannot use the credentials in {DisplayText.Clean(file)}: {why}", innerException: e is JsonException ? null : e);
        }
    }

    private static JsonElement Member(JsonElement parent, string name, JsonValueKind kind) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind
            ? value
            : throw new FormatException($"'{name}' is missing or of the wrong type");

    private static string Text(JsonElement parent, string name) => Member(parent, name, JsonValueKind.String).GetString()!;
}
