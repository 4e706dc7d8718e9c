package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageSourceTest {
  private static final String DIGEST = "a".repeat(64);

  @ParameterizedTest
  @CsvSource({
    "docker://alpine, docker://docker.io/library/alpine:latest",
    "docker://alpine:3.20, docker://docker.io/library/alpine:3.20",
    "docker://group/app, docker://docker.io/group/app:latest",
    "docker://docker.io/alpine, docker://docker.io/library/alpine:latest",
    "docker://localhost/app, docker://localhost/app:latest",
    "docker://registry:5000/a/b/c:1.2, docker://registry:5000/a/b/c:1.2",
    "docker://[::1]:5000/app:1, docker://[::1]:5000/app:1",
    "oras://registry.site/app:1, oras://registry.site/app:1",
    "library://site.org/group/part/app:1, library://site.org/group/part/app:1",
    "https://site.org/a/b.sif, https://site.org/a/b.sif",
    "/shared/app.sif, /shared/app.sif",
    "/shared/../etc/./app.sif, /etc/app.sif"
  })
  void namesAreCompletedAsDockerDoes(String written, String meant) {
    assertThat(ImageSource.parse(written).text()).isEqualTo(meant);
    assertThat(ImageSource.parse(meant).text()).isEqualTo(meant);
  }

  @Test
  void aDigestWinsOverTheTag() {
    ImageSource.Docker source =
        (ImageSource.Docker) ImageSource.parse("docker://registry:5000/app:1@sha256:" + DIGEST);
    assertThat(source.reference().wanted()).isEqualTo("sha256:" + DIGEST);
    assertThat(source.text()).isEqualTo("docker://registry:5000/app@sha256:" + DIGEST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "alpine",
        "docker://",
        "docker:///app",
        "docker://App",
        "docker://registry:5000/",
        "docker://registry:5000/../../etc/passwd",
        "docker://registry:5000/a/../b",
        "docker://registry:5000/a//b",
        "docker://registry:5000/a?x=y",
        "docker://registry:5000/a#b",
        "docker://registry:5000/a:b/c",
        "docker://registry:99999999/a",
        "docker://registry:5000/a@sha256:abc",
        "docker://-o/a",
        "docker://--authfile=/x/y",
        "docker://a b",
        "docker://a\nb",
        "docker://a$(touch x)",
        "docker://a`id`",
        "docker://ä",
        "oras://user:secret@registry/app",
        "library://../x",
        "library://-x/y",
        "library://a?b",
        "http://site.org/x.sif",
        "https://",
        "https:///x",
        "https://site.org/x#y",
        "https://site.org/%zz",
        "file:///etc/passwd",
        "ftp://site.org/x",
        "/a\0b"
      })
  void hostileNamesAreRefused(String written) {
    assertThatThrownBy(() -> ImageSource.parse(written))
        .isInstanceOfSatisfying(
            PullFailure.class,
            refused -> {
              assertThat(refused.kind()).isEqualTo(PullFailure.Kind.MALFORMED);
              assertThat(refused.getMessage()).doesNotContainPattern("\\p{Cntrl}");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://alice:secret@site.org/x.sif",
        "docker://alice:secret@registry:5000/app",
        "oras://alice:se/cret@registry:5000/app",
        "ftp://alice:secret@site.org/x",
        "https://site.org/x.sif#?token=secret"
      })
  void passwordsAreRefusedAndNotRepeated(String written) {
    assertThatThrownBy(() -> ImageSource.parse(written))
        .isInstanceOf(PullFailure.class)
        .message()
        .doesNotContain("secret", "cret@");
  }

  @Test
  void anAddressWithAQueryIsPrivate() {
    assertThat(((ImageSource.Web) ImageSource.parse("https://s.org/x?sig=1")).isPrivate()).isTrue();
    assertThat(((ImageSource.Web) ImageSource.parse("https://s.org/x")).isPrivate()).isFalse();
  }

  @Test
  void aVeryLongNameIsRefused() {
    assertThatThrownBy(() -> ImageSource.parse("docker://" + "a/".repeat(200) + "a"))
        .isInstanceOf(PullFailure.class);
    assertThatThrownBy(() -> ImageSource.parse("docker://" + "a".repeat(5000)))
        .isInstanceOf(PullFailure.class);
  }
}
