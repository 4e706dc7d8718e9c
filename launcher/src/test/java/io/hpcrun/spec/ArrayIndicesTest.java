package io.hpcrun.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ArrayIndicesTest {
  @Test
  void readsWhatSbatchTakes() {
    ArrayIndices indices = ArrayIndices.of("3,0-10:4,8,9-8%2");
    assertThat(indices.indices()).containsExactly(0, 3, 4, 8);
    assertThat(indices.last()).isEqualTo(10);
    assertThat(indices.atOnce()).hasValue(2);
    assertThat(ArrayIndices.of("5").atOnce()).isEmpty();
    assertThat(ArrayIndices.of("99999999999").last()).isEqualTo(Integer.MAX_VALUE);
    assertThat(ArrayIndices.of("0-99999999999:999999999").indices()).hasSize(3);
  }

  @Test
  void writesNeighboursTogether() {
    assertThat(ArrayIndices.text(List.of(0, 1, 2, 7, 9, 10))).isEqualTo("0-2,7,9-10");
    assertThat(ArrayIndices.text(List.of(4))).isEqualTo("4");
  }
}
