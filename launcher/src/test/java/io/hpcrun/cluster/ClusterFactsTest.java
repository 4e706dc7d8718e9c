package io.hpcrun.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ClusterFactsTest {
  /** The form of Slurm 24.11 and of mpi_guide, where versions follow in one line. */
  @Test
  void readsTheListOfMpiPlugins() {
    assertThat(
            ClusterFacts.parseMpiList(
                """
                MPI plugin types are...
                \tcray_shasta
                \tnone
                \tpmi2
                \tpmix
                specific pmix plugin versions available: pmix_v3,pmix_v4
                """))
        .containsExactly("cray_shasta", "none", "pmi2", "pmix", "pmix_v3", "pmix_v4");
  }

  @Test
  void readsTheConfiguration() {
    assertThat(
            ClusterFacts.parseConfig(
                "Configuration data as of 2026\nMpiDefault              = pmix\nX = a = b\n"))
        .containsEntry("MpiDefault", "pmix")
        .containsEntry("X", "a = b");
  }

  /** Slurm 26.05 shows a MpiDefault of none so. */
  @Test
  void whatIsNotSetIsLeftOut() {
    assertThat(ClusterFacts.parseConfig("MpiDefault              = (null)\n")).isEmpty();
  }

  @Test
  void translatesTheArchitecture() {
    assertThat(ClusterFacts.goArchitecture("amd64")).isEqualTo("amd64");
    assertThat(ClusterFacts.goArchitecture("x86_64")).isEqualTo("amd64");
    assertThat(ClusterFacts.goArchitecture("aarch64")).isEqualTo("arm64");
  }
}
