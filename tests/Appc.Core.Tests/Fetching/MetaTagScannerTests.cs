using Appc.Fetching;

namespace Appc.Core.Tests.Fetching;

public sealed class MetaTagScannerTests
{
    [Theory]
    [InlineData("<meta name=a content=b>", "a=b")]
    [InlineData("<meta content='b c' name=\"a\">", "a=b c")]
    [InlineData("<meta name=a>", "")]
    [InlineData("<meta name=a content=b", "")]
    [InlineData("<meta name=a content=\"b>", "")]
    [InlineData("<meta name=a content=b name=c content=d>", "a=b")]
    [InlineData("<meta name = a content = b>", "a=b")]
    [InlineData("<meta name content=x name=y>", "=x")]
    [InlineData("<meta name=a content=b/>", "a=b/")]
    [InlineData("<meta =x name=a content=b>", "a=b")]
    [InlineData("</meta name=a content=b>", "")]
    [InlineData("<!-- <meta name=a content=b> -->", "")]
    [InlineData("<!-- --!><meta name=a content=b>", "a=b")]
    [InlineData("<!- <meta name=a content=b>", "")]
    [InlineData("<!x><meta name=a content=b>", "a=b")]
    [InlineData("</ <meta name=a content=b>", "")]
    [InlineData("<p title='<meta name=a content=b>'>", "")]
    [InlineData("<plaintext></plaintext><meta name=a content=b>", "")]
    [InlineData("<script></scriptx><meta name=a content=b></script><meta name=c content=d>", "c=d")]
    [InlineData("<", "")]
    [InlineData("<meta", "")]
    [InlineData("", "")]
    [InlineData("<meta name=a content='&amp;&lt;&#65;&#x42;&#X43;&unknown;&#0;&#xD800;&amp&'>", "a=&<ABC&unknown;&#0;&#xD800;&amp&")]
    public void Tags_are_found_as_a_browser_finds_them(string page, string expected)
    {
        var found = new List<string>();
        var scanner = new MetaTagScanner(page);
        while (scanner.Next(out string name, out string content))
        {
            found.Add($"{name}={content}");
        }

        Assert.Equal(expected, string.Join(" ", found));
    }

    [Theory]
    [InlineData("<")]
    [InlineData("<!--")]
    [InlineData("<meta ")]
    [InlineData("<meta name='")]
    [InlineData("<script></scriptx")]
    [InlineData("<title>")]
    [InlineData("<a b=\"")]
    [InlineData("<meta name=a content=\"&#")]
    [InlineData("<meta name=a content=\"&&&&&&&&\">")]
    [InlineData("<!--<!--!-->")]
    [InlineData("</")]
    public void Hostile_pages_cost_time_in_proportion_to_their_length(string pattern)
    {
        // A quadratic scan of four million characters would take hours: ending at all is the assertion.
        string page = string.Concat(Enumerable.Repeat(pattern, (4 << 20) / pattern.Length));
        var scanner = new MetaTagScanner(page);
        int count = 0;
        while (scanner.Next(out _, out _))
        {
            count++;
        }

        Assert.True(count <= page.Length / pattern.Length);
    }
}
