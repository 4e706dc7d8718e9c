package io.hpcrun.daemon.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.Failure;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AccountsTest {
  /** As the JDK's: equal is who has the same number. */
  private record Peer(long uid, String name) implements UserPrincipal {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Peer peer && peer.uid == uid;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(uid);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private final Map<String, Long> users = new HashMap<>();
  private final Map<Long, String> groups = new HashMap<>();
  private final List<String> asked = new ArrayList<>();
  private long nanos;

  private final Accounts accounts =
      new Accounts(
          List.of("hpcadmin"),
          () -> nanos,
          new Accounts.Directory() {
            @Override
            public String id(String option, String user) {
              asked.add(option + " " + user);
              Optional<Map.Entry<String, Long>> found = find(user);
              return found
                  .map(
                      each ->
                          switch (option) {
                            case "-u" -> each.getValue().toString();
                            case "-un" -> each.getKey();
                            default -> groups.getOrDefault(each.getValue(), "users");
                          })
                  .orElse("");
            }

            @Override
            public Optional<UserPrincipal> named(String name) {
              return users.containsKey(name)
                  ? Optional.of(new Peer(users.get(name), name))
                  : name.matches("\\d+")
                      ? Optional.of(new Peer(Long.parseLong(name), name))
                      : Optional.empty();
            }
          });

  /** As id(1) finds users: by name, and else by number; by number only behind a plus. */
  private Optional<Map.Entry<String, Long>> find(String user) {
    if (users.containsKey(user)) {
      return Optional.of(Map.entry(user, users.get(user)));
    }
    String number = user.replaceFirst("^\\+", "");
    return users.entrySet().stream()
        .filter(each -> each.getValue().toString().equals(number))
        .map(each -> Map.entry(each.getKey(), each.getValue()))
        .findFirst();
  }

  private Caller of(long uid, String name) {
    return accounts.of(new Peer(uid, name));
  }

  @Test
  void aUserHasTheNumberAndTheGroupsOfTheName() {
    users.put("alice", 1001L);
    users.put("ops", 1002L);
    groups.put(1002L, "users hpcadmin");
    assertThat(of(1001, "alice")).isEqualTo(new Caller(1001, "alice", false));
    assertThat(of(1002, "ops")).isEqualTo(new Caller(1002, "ops", true));
    users.put("root", 0L);
    assertThat(of(0, "root").operator()).isTrue();
  }

  @Test
  void aUserCalledLikeAnothersNumberIsNotThatOther() {
    users.put("1234", 5000L);
    assertThat(of(5000, "1234")).isEqualTo(new Caller(5000, "1234", false));
    assertThat(of(1234, "1234")).as("who has no name").isEqualTo(new Caller(1234, "1234", false));
    users.put("mia", 777L);
    groups.put(5000L, "hpcadmin");
    nanos += 61_000_000_000L;
    assertThat(of(5000, "1234").operator()).isTrue();
    assertThat(of(1234, "1234").operator()).isFalse();
  }

  @Test
  void aUserWithoutANameIsTheNumber() {
    assertThat(of(4711, "4711")).isEqualTo(new Caller(4711, "4711", false));
    assertThat(of(4_294_967_000L, "-296"))
        .isEqualTo(new Caller(4_294_967_000L, "4294967000", false));
  }

  @Test
  void aNameThatWasNotToldInTimeIsAskedForAgain() {
    users.put("1234", 5000L);
    users.put("alice", 1001L);
    assertThat(of(1001, "1001").uid()).isEqualTo(1001);
    users.put("bob", 1234L);
    assertThat(of(1234, "1234")).isEqualTo(new Caller(1234, "bob", false));
  }

  @Test
  void whoWasKnownBeforeIsFoundAgainAsWhatItWas() {
    users.put("1234", 5000L);
    assertThat(accounts.again(new Caller(5000, "1234", false)).uid()).isEqualTo(5000);
    assertThat(accounts.again(new Caller(1234, "1234", false)).uid()).isEqualTo(1234);
    users.put("alice", 1001L);
    groups.put(1001L, "hpcadmin");
    assertThat(accounts.again(new Caller(1001, "alice", false)).operator()).isTrue();
    users.put("alice", 1009L); // another user of that name, since then
    nanos += 61_000_000_000L;
    assertThat(accounts.again(new Caller(1001, "alice", false)).uid()).isEqualTo(1009);
  }

  @Test
  void answersAreKeptForAMinute() {
    users.put("alice", 1001L);
    of(1001, "alice");
    int before = asked.size();
    nanos += 59_000_000_000L;
    of(1001, "alice");
    assertThat(asked).hasSize(before);
    nanos += 2_000_000_000L;
    of(1001, "alice");
    assertThat(asked.size()).isGreaterThan(before);
  }

  @Test
  void aNameThatNobodyKnowsIsAFailure() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> of(1001, "alice"))
        .withMessageContaining("alice");
  }
}
