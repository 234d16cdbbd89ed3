using System.Collections;

namespace Appc.Manifests.Json;

/// <summary>
/// A list that cannot change and is equal to another with equal items, so that the records that hold it are
/// compared by what they say.
/// </summary>
internal sealed class ValueList<T> : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    private readonly T[] _items;

    private ValueList(T[] items) => _items = items;

    public static ValueList<T> Empty { get; } = new([]);

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    /// <summary>A copy of the items; null counts as none.</summary>
    public static ValueList<T> Of(IReadOnlyList<T>? items) =>
        items as ValueList<T> ?? (items is null or { Count: 0 } ? Empty : new ValueList<T>([.. items]));

    /// <summary>A list over this array, which the caller gives away.</summary>
    public static ValueList<T> Wrap(T[] items) => items.Length == 0 ? Empty : new(items);

    public bool Equals(ValueList<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (T item in _items)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    public override string ToString() => "[" + string.Join(", ", _items) + "]";
}
