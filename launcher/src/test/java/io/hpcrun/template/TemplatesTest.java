package io.hpcrun.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplatesTest {
  @TempDir Path directory;
  private Path mine;
  private Path team;
  private Path site;

  @BeforeEach
  void directories() throws IOException {
    team = Files.createDirectory(directory.resolve("team"));
    mine = Files.createDirectories(directory.resolve("home/.config/hpcrun/templates"));
    site = Files.createDirectory(directory.resolve("site"));
  }

  @Test
  void theVariablesDirectoriesComeFirstThenTheUsersThenTheSites() throws IOException {
    write(site, "a", "description: the site's");
    write(mine, "a", "description: mine");
    write(team, "a", "description: the team's");
    write(site, "b", "description: other");
    write(site, "not a name", "description: other");
    Files.writeString(site.resolve("c.txt"), "x");
    assertThat(path().directories()).containsExactly(team, directory.resolve("none"), mine, site);
    assertThat(path().entries().stream().map(each -> each.name() + " " + each.shadowedBy()))
        .containsExactly(
            "a Optional.empty",
            "a " + Optional.of(team.resolve("a.yaml")),
            "a " + Optional.of(team.resolve("a.yaml")),
            "b Optional.empty");
    assertThat(description(templates().template("a"))).isEqualTo("the team's");
    assertThat(description(templates().template(site.resolve("a.yaml").toString())))
        .isEqualTo("the site's");
  }

  @Test
  void aTemplateOfTheSiteExtendsItsNeighboursAndAUsersOwnTheNextOfItsName() throws IOException {
    write(site, "base", "description: the site's base");
    write(mine, "base", "description: my base");
    write(site, "a", "extends: base");
    write(mine, "a", "extends: a");
    JobFile file = templates().template("a");
    assertThat(file.parts().stream().map(part -> part.text().place().file()))
        .containsExactly(
            site.resolve("base.yaml").toString(),
            site.resolve("a.yaml").toString(),
            mine.resolve("a.yaml").toString());
    Path job = write(directory, "job", "extends: base");
    assertThat(templates().jobFile(job.toString()).parts().getFirst().text().place().file())
        .isEqualTo(mine.resolve("base.yaml").toString());
    write(directory, "near", "description: near");
    Files.writeString(job, "extends: ./near.yaml\n");
    assertThat(description(templates().jobFile("job.yaml"))).isEqualTo("near");
  }

  @Test
  void ringsAndLongChainsAreRefused() throws IOException {
    write(site, "a", "extends: b");
    write(site, "b", "nodes: 1\nextends: c");
    write(site, "c", "extends: a");
    assertThatThrownBy(() -> templates().template("a"))
        .hasMessage(
            site
                + "/c.yaml, line 1, column 10: files extend each other in a ring:"
                + " a.yaml -> b.yaml -> c.yaml -> a.yaml");
    write(site, "self", "extends: ./self.yaml");
    assertThatThrownBy(() -> templates().template("self"))
        .hasMessageContaining("in a ring: self.yaml -> self.yaml");
    write(site, "alone", "extends: alone");
    assertThatThrownBy(() -> templates().template("alone"))
        .hasMessageContaining("line 1, column 10: there is no other template 'alone'");
    write(site, "n0", "nodes: 1");
    for (int i = 1; i <= 11; i++) {
      write(site, "n" + i, "extends: n" + (i - 1));
    }
    assertThat(templates().template("n10").parts()).hasSize(11);
    assertThatThrownBy(() -> templates().template("n11"))
        .hasMessageContaining("n1.yaml, line 1, column 10: this is the 11th file");
  }

  @Test
  void namesThatAreWrongHaveTheNearest() throws IOException {
    write(site, "lammps", "nodes: 1");
    assertThatThrownBy(() -> templates().template("lamps"))
        .hasMessage("there is no template 'lamps'")
        .extracting(failure -> ((Failure) failure).remedy())
        .isEqualTo("write 'lammps'");
    assertThatThrownBy(() -> templates().template("../x")).hasMessageContaining("there is no file");
    assertThatThrownBy(() -> templates().template("..")).hasMessage("there is no template '..'");
    write(site, "x", "extends: lamps");
    assertThatThrownBy(() -> templates().template("x"))
        .hasMessage(site + "/x.yaml, line 1, column 10: there is no template 'lamps'");
    write(site, "y", "extends: ../z.yaml");
    assertThatThrownBy(() -> templates().template("y"))
        .hasMessageContaining("y.yaml, line 1, column 10: there is no file");
    write(site, "v", "extends: 'a b'");
    assertThatThrownBy(() -> templates().template("v"))
        .hasMessageContaining("'a b' stands where the name of a template");
    assertThatThrownBy(() -> TemplatePath.of(Map.of(TemplatePath.VARIABLE, "rel"), List.of()))
        .hasMessageContaining("'rel' is not an absolute path");
  }

  @Test
  void whatEverybodyCanWriteIsNotUsed() throws IOException {
    Path file = write(site, "a", "nodes: 1");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThatThrownBy(() -> templates().template("a"))
        .hasMessageContaining("written by everybody");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
    assertThat(templates().template("a").parts()).hasSize(1);
    Files.setPosixFilePermissions(site, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> templates().template("a"))
        .hasMessageStartingWith(site + " can be written by everybody");
  }

  @Test
  void whatATemplateExtendsIsTrustedAsItIs() throws IOException {
    Path base = write(site, "base", "nodes: 1");
    write(site, "a", "extends: ./base.yaml");
    assertThat(templates().template("a").parts()).hasSize(2);
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThatThrownBy(() -> templates().template("a"))
        .hasMessageStartingWith(site + "/./base.yaml can be written by everybody");
    assertThat(templates().template(site.resolve("a.yaml").toString()).parts()).hasSize(2);
  }

  private Templates templates() {
    return new Templates(path(), directory);
  }

  private TemplatePath path() {
    return TemplatePath.of(
        Map.of(
            TemplatePath.VARIABLE,
            team + "::" + directory.resolve("none") + ":" + team,
            "HOME",
            directory.resolve("home").toString()),
        List.of(site));
  }

  private static String description(JobFile file) {
    return file.parts()
        .getLast()
        .text()
        .find("description")
        .or(() -> file.parts().getFirst().text().find("description"))
        .orElseThrow()
        .text();
  }

  private static Path write(Path where, String name, String text) throws IOException {
    return Files.writeString(where.resolve(name + ".yaml"), text + "\n");
  }
}
