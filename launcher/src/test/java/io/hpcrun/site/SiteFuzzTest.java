package io.hpcrun.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

class SiteFuzzTest {
  private static final String RIGHT =
      """
      contact: help@example.org
      defaults:
        bind: [/scratch, '/opt/site:/opt/site:ro']
        env: {OMP_PROC_BIND: close}
        partition: batch
        mem: 4G
        require-fabric: true
        nodelist: [n1, n2]
      partitions:
        gpu: {time: 2:00:00, gres: [gpu:1]}
      modules:
        nccl:
          description: NCCL over our network
          requires: gpu
        gpu: {nv: true, conflicts: cpu}
        cpu: {no-nv: true}
      templates: [/opt/site/templates]
      records: {spool: /shared/spool, directory: ~/records}
      fabric: {locked-memory: 8M}
      """;

  @Property(tries = 3_000, shrinking = ShrinkingMode.OFF)
  void whateverStandsInASiteFileIsReadOrRefusedWithItsPlace(@ForAll long seed) throws IOException {
    Path directory = Files.createTempDirectory("site-fuzz");
    Path file = directory.resolve("site.yaml");
    try {
      Files.write(file, Mutations.of(RIGHT, seed));
      Site.of(file, "/home/u");
    } catch (Failure refused) {
      assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(refused.getMessage()).startsWith(file.toString()).doesNotContain("Exception");
      assertThat(refused.remedy()).isNotBlank();
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }
}
