package io.hpcrun.jobfile;

import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.math.BigDecimal;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Numbers with the same distance: {@code {from: 0.5, to: 3.0, step: 0.5}}.
 *
 * @param from the first
 * @param step the distance; less than nothing if they become less
 * @param count how many there are, {@link Sweep#MOST} at most
 */
record Range(BigDecimal from, BigDecimal step, int count) {
  /**
   * Reads a range; its numbers are not made yet.
   *
   * @throws io.hpcrun.failure.Failure with exit code 2 for one that has no end, or too many numbers
   */
  static Range read(YamlMap range) {
    BigDecimal from = number(range.get("from", "the first value"));
    BigDecimal to = number(range.get("to", "the last value"));
    BigDecimal step = range.find("step").map(Range::number).orElse(BigDecimal.ONE);
    if (step.signum() == 0 || to.subtract(from).signum() * step.signum() < 0) {
      throw range
          .place()
          .wrong(
              "from %s no step of %s leads to %s"
                  .formatted(from.toPlainString(), step.toPlainString(), to.toPlainString()),
              "give a step in the right direction");
    }
    BigDecimal count = to.subtract(from).divideToIntegralValue(step).add(BigDecimal.ONE);
    if (count.compareTo(BigDecimal.valueOf(Sweep.MOST)) > 0) {
      throw range
          .place()
          .wrong(
              "these are %s values, of at most %d".formatted(count.toPlainString(), Sweep.MOST),
              "take a greater step");
    }
    return new Range(from, step, count.intValue());
  }

  private static BigDecimal number(YamlValue value) {
    if (!value.text().matches("[+-]?[0-9]{1,15}(\\.[0-9]{1,15})?")) {
      throw value.mustBe("a number such as 10 or 0.5");
    }
    return new BigDecimal(value.text());
  }

  /** The numbers, with the digits behind the point that they are given with. */
  List<String> values() {
    return IntStream.range(0, count)
        .mapToObj(i -> from.add(step.multiply(BigDecimal.valueOf(i))).toPlainString())
        .toList();
  }
}
