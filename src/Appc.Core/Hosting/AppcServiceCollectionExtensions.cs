using Appc.Fetching;
using Appc.Images;
using Appc.Pods;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Appc.Hosting;

/// <summary>Registers the runtime with a host's services.</summary>
public static class AppcServiceCollectionExtensions
{
    /// <summary>
    /// Registers one <see cref="PodRuntime"/> for the host, with the host's loggers and clock, and its
    /// <see cref="ImageStore"/> and <see cref="ImageFetcher"/>. It is made when it is first asked for and disposed with the
    /// host. <see cref="AppcOptions"/> may be bound to a section of the host's configuration.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Adds a verifier and the stage1 flavours: <c>b => b.UseOpenPgp().UseNspawn()</c>.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddAppc(this IServiceCollection services, Action<PodRuntimeBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddAppc((_, builder) => configure(builder));
    }

    /// <inheritdoc cref="AddAppc(IServiceCollection, Action{PodRuntimeBuilder})"/>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">As above, with the services that are there.</param>
    public static IServiceCollection AddAppc(this IServiceCollection services, Action<IServiceProvider, PodRuntimeBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions();
        services.TryAddSingleton(provider =>
        {
            var builder = new PodRuntimeBuilder(provider.GetRequiredService<IOptions<AppcOptions>>().Value.Root);
            if (provider.GetService<ILoggerFactory>() is { } loggers)
            {
                builder.UseLogging(loggers);
            }

            if (provider.GetService<TimeProvider>() is { } time)
            {
                builder.UseTimeProvider(time);
            }

            configure(provider, builder);
            return builder.Build();
        });

        services.TryAddSingleton(provider => provider.GetRequiredService<PodRuntime>().Images);
        services.TryAddSingleton(provider => provider.GetRequiredService<PodRuntime>().Fetcher);
        return services;
    }
}
