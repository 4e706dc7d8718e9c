package io.hpcrun.spec;

/**
 * An sbatch option with its checked value.
 *
 * @param option which one
 * @param value the value as sbatch takes it; empty for an option without a value
 */
public record SlurmSetting(SlurmOption option, String value) {}
