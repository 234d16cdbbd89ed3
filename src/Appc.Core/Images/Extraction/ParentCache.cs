using Appc.Linux;

namespace Appc.Images.Extraction;

/// <summary>The directories that were written to last, open.</summary>
internal sealed class ParentCache : IDisposable
{
    private const int Size = 16;

    private readonly (byte[] Path, Fd? Fd)[] _items = new (byte[], Fd?)[Size];
    private int _count;

    /// <summary>An open directory by its path; null if it is not among the last ones.</summary>
    public Fd? Find(ReadOnlySpan<byte> path)
    {
        for (int i = 0; i < _count; i++)
        {
            if (path.SequenceEqual(_items[i].Path))
            {
                (byte[], Fd?) found = _items[i];
                Array.Copy(_items, 0, _items, 1, i);
                _items[0] = found;
                return found.Item2;
            }
        }

        return null;
    }

    public void Add(ReadOnlySpan<byte> path, Fd fd)
    {
        if (_count == Size)
        {
            _items[--_count].Fd!.Dispose();
        }

        Array.Copy(_items, 0, _items, 1, _count);
        _items[0] = (path.ToArray(), fd);
        _count++;
    }

    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
        {
            _items[i].Fd!.Dispose();
        }

        _count = 0;
    }
}
