namespace Appc.Fuzz;

/// <summary>Makes new inputs of old ones.</summary>
internal interface IMutator
{
    byte[] Mutate(List<byte[]> corpus);
}
