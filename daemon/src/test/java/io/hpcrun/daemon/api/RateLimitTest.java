package io.hpcrun.daemon.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RateLimitTest {
  private long now;
  private final RateLimit rates = new RateLimit(1, 3, () -> now);

  private static RateLimit.Address address(String text) {
    return RateLimit.Address.of(InetAddress.ofLiteral(text));
  }

  private boolean passes(Object who) {
    boolean enters = rates.enters(who);
    if (enters) {
      rates.leaves(who);
    }
    return enters;
  }

  private void uses(Object who) {
    assertThat(passes(who)).isTrue();
    assertThat(passes(who)).isTrue();
    assertThat(passes(who)).isFalse();
  }

  @Test
  void eachUserAndEachAddressHasItsOwn() {
    uses(new RateLimit.User(1));
    uses(new RateLimit.User(2));
    uses(address("192.0.2.1"));
    uses(address("192.0.2.2"));
    now = TimeUnit.SECONDS.toNanos(1);
    assertThat(passes(address("192.0.2.1"))).isTrue();
    assertThat(passes(address("192.0.2.1"))).isFalse();
  }

  @Test
  void aMachineHasNoFurtherOnesByItsManyAddresses() {
    uses(address("2001:db8:0:1::1"));
    assertThat(passes(address("2001:db8:0:1:ffff::2"))).isFalse();
    uses(address("2001:db8:0:2::1"));
  }

  @Test
  void whoHasTooManyUnderWayWaits() {
    RateLimit wide = new RateLimit(100, 2, () -> now);
    RateLimit.User user = new RateLimit.User(1);
    assertThat(wide.enters(user) && wide.enters(user)).isTrue();
    assertThat(wide.enters(user)).isFalse();
    wide.leaves(user);
    assertThat(wide.enters(user)).isTrue();
  }
}
