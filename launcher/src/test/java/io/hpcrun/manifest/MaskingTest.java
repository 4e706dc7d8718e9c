package io.hpcrun.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.request.Origin;
import io.hpcrun.request.Setting;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MaskingTest {
  private static final String SECRET = "hunter2-4711-xyzzy";

  private final Masking masking = new Masking(new byte[32]);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "DB_PASSWORD",
        "MYSQL_PWD",
        "db_pass",
        "GITHUB_PAT",
        "SLURM_JWT",
        "API_KEY",
        "APPTAINERENV_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SESSION_COOKIE",
        "SLACK_WEBHOOK_URL"
      })
  void variablesWithSuchNamesAreMasked(String name) {
    assertThat(masking.variable(name, SECRET)).matches("\\*\\*\\*:[0-9a-f]{16}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"PATH", "OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM", "PWD", "KEYBOARD", "AUTHOR"})
  void othersAreNot(String name) {
    assertThat(masking.variable(name, "some value")).isEqualTo("some value");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ghp_0123456789abcdefABCDEF",
        "glpat-0123456789abcdefABCD",
        "AKIAIOSFODNN7EXAMPLE",
        "hf_abcdefghijKLMNOPQR",
        "xoxb-1234567890-abc",
        "nvapi-0123456789abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc_DEF-1",
      })
  void whatLooksLikeAKeyIsMaskedWhereverItStands(String key) {
    assertThat(masking.words(List.of("curl", "-H", "x: " + key, key)))
        .noneMatch(word -> word.contains(key))
        .satisfies(words -> assertThat(words.getFirst()).isEqualTo("curl"));
    assertThat(masking.variable("ANYTHING", "a " + key)).doesNotContain(key);
  }

  @Test
  void aPasswordInAnAddressIsMaskedAndTheAddressStays() {
    assertThat(Masking.shown(masking.variable("https_proxy", "http://me:geheim@proxy:3128")))
        .isEqualTo("http://***@proxy:3128");
  }

  @ParameterizedTest
  @CsvSource({
    "--password=@,--password=***",
    "--db.password=@,--db.password=***",
    "--api-key=@,--api-key=***",
    "--hf-token=@,--hf-token=***",
    "DB_PASSWORD=@,DB_PASSWORD=***",
    "--env=DB_PASSWORD=@,--env=DB_PASSWORD=***",
    "--export=ALL;DB_PASSWORD=@,--export=ALL;DB_PASSWORD=***",
    "--max-tokens=512,--max-tokens=512",
    "--pad-token=0,--pad-token=0",
    "--eos-token-id=50256,--eos-token-id=50256",
    "--key=price,--key=price",
    "sort_key=name,sort_key=name",
    "--steps=100,--steps=100",
  })
  void wordsAreMaskedByTheirNames(String word, String shown) {
    assertThat(Masking.shown(masking.words(List.of(word.replace("@", SECRET))).getFirst()))
        .isEqualTo(shown);
  }

  @Test
  void theWordBehindAnOptionIsItsValue() {
    assertThat(masking.words(List.of("app", "--password", SECRET, "--verbose")))
        .map(Masking::shown)
        .containsExactly("app", "--password", "***", "--verbose");
    assertThat(masking.words(List.of("app", "--token", "--verbose")))
        .containsExactly("app", "--token", "--verbose");
  }

  @Test
  void scriptsAreMaskedToo() {
    String script =
        "#!/bin/bash\nexport HF_TOKEN='my secret one'\nA=1 DB_PASSWORD="
            + SECRET
            + " ./app --api-key "
            + SECRET
            + " --n=2\nTOKEN=$(cat file); KEY=\"$OTHER\"\n";
    assertThat(Masking.shown(masking.text(script)))
        .isEqualTo(
            "#!/bin/bash\nexport HF_TOKEN=***\nA=1 DB_PASSWORD=***"
                + " ./app --api-key *** --n=2\nTOKEN=$(cat file); KEY=\"$OTHER\"\n");
  }

  @Test
  void quotedSecretsAreMaskedToTheirEnd() {
    assertThat(
            Masking.shown(
                masking.text(
                    "HPCRUN_ENV_HF_TOKEN='it'\\''s' hpcrun exec -- a; A_KEY=$'x\\'y' b; C_KEY='z\\' d")))
        .isEqualTo("HPCRUN_ENV_HF_TOKEN=*** hpcrun exec -- a; A_KEY=*** b; C_KEY=*** d");
  }

  @Test
  void aVeryLongTextIsMasked() {
    String text = "x".repeat(300_000);
    assertThat(masking.text("A=" + text + " B='" + text + "' HF_TOKEN=" + text + "\n" + text))
        .doesNotContain("HF_TOKEN=x")
        .contains(" HF_TOKEN=***:");
  }

  @Test
  void variablesOfTheApplicationAreMaskedByTheirNames() {
    Setting env =
        masking.setting(
            new Setting(
                "env",
                List.of("A=b", "HF_TOKEN=x", "MIXED=" + "hf_abcdefghijKLMNOPQR"),
                new Origin(Origin.Kind.OPTION, "command line")));
    assertThat(env.values())
        .map(Masking::shown)
        .containsExactly("A=b", "HF_TOKEN=***", "MIXED=***");
  }

  @Test
  void aSecretThatWasMetIsTakenOutElsewhere() {
    masking.variable("MY_TOKEN", SECRET);
    assertThat(masking.without("the value is " + SECRET + "!")).doesNotContain(SECRET);
    assertThat(masking.words(List.of("--header=Bearer " + SECRET)).getFirst())
        .doesNotContain(SECRET);
  }

  @Test
  void pathsOfKeysAreNoSecretsElsewhere() {
    masking.variable("SSH_KEY_DIR", "/home/alice");
    assertThat(masking.words(List.of("/home/alice/app"))).containsExactly("/home/alice/app");
  }

  @Test
  void theSameSecretHasTheSameDigestAndAnotherKeyAnother() {
    assertThat(masking.of("a")).isEqualTo(masking.of("a")).isNotEqualTo(masking.of("b"));
    Masking other = new Masking(new byte[] {1});
    assertThat(other.of("a")).isNotEqualTo(masking.of("a"));
    assertThat(other.keyId()).isNotEqualTo(masking.keyId());
  }

  @Test
  void secretsThatAreKnownComeBack() {
    String masked = masking.words(List.of("--password=" + SECRET)).getFirst();
    assertThat(Masking.unmask(masked, Map.of(masking.of(SECRET), SECRET)))
        .contains("--password=" + SECRET);
    assertThat(Masking.unmask(masked, Map.of())).isEmpty();
    assertThat(Masking.unmask("plain $1 \\", Map.of())).contains("plain $1 \\");
  }

  @Test
  void aDigestOfWhatHoldsSecretsIsKeyed() {
    assertThat(masking.digestOf("a", false)).matches("[0-9a-f]{64}");
    assertThat(masking.digestOf("a", true)).matches("\\*\\*\\*:[0-9a-f]{64}");
    assertThat(masking.isDigestOf(masking.digestOf("a", false), "a")).isTrue();
    assertThat(masking.isDigestOf(masking.digestOf("a", true), "a")).isTrue();
    assertThat(masking.isDigestOf(masking.digestOf("a", true), "b")).isFalse();
  }
}
