package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What the API tells of the site and its templates. */
class SiteApiTest {
  @TempDir private Path directory;
  private Path site;
  private Service service;
  private SocketHttp http;

  @BeforeEach
  void start() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path templates = Files.createDirectory(directory.resolve("templates"));
    Files.writeString(
        templates.resolve("hello.yaml"),
        """
        description: Ranks that say where they run.
        parameters:
          ranks: {type: integer, default: 2, min: 1, max: 64, help: how many}
          input: {type: path}
        image: a.sif
        command: [hello, '${input}']
        ntasks: ${ranks}
        """);
    Files.writeString(templates.resolve("broken.yaml"), "imgae: a.sif\n");
    site = directory.resolve("site.yaml");
    Files.writeString(
        site,
        """
        contact: help@example.org
        defaults: {time: 1:00:00}
        partitions:
          gpu: {require-fabric: true}
        modules:
          nccl: {description: NCCL over our network, requires: [base], env: {NCCL_DEBUG: WARN}}
          base: {}
        templates: %s
        daemon: {store: {url: 'jdbc:postgresql:x?password=secret'}}
        """
            .formatted(templates));
    Path socket = directory.resolve("s");
    SiteWatch watch = new SiteWatch(site);
    service =
        new Service(
            new Settings(socket, directory.resolve("state"), null, null, null, null, null, null),
            () -> SampleLaunch.CLUSTER,
            Set::of,
            watch::site,
            watch::policy);
    service.start();
    http = new SocketHttp(socket);
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void everyValueHasItsPlaceAndTheDaemonsOwnSettingsAreNotTold() throws IOException {
    SocketHttp.Answer answer = http.get("/v1/site");
    assertThat(answer.body()).doesNotContain("secret");
    JsonNode told = answer.json();
    assertThat(told.path("file").asString()).isEqualTo(site.toString());
    assertThat(told.path("contact").asString()).isEqualTo("help@example.org");
    assertThat(told.path("defaults").path(0).toString())
        .isEqualTo(
            "{\"option\":\"time\",\"value\":\"1:00:00\",\"origin\":\"site: %s, line 2, column 12\"}"
                .formatted(site));
    assertThat(told.path("partitions").path("gpu").path(0).path("option").asString())
        .isEqualTo("require-fabric");
    JsonNode module = told.path("modules").path("nccl");
    assertThat(module.path("description").asString()).isEqualTo("NCCL over our network");
    assertThat(module.path("requires").path(0).asString()).isEqualTo("base");
    assertThat(module.path("options").path(0).path("value").asString())
        .isEqualTo("NCCL_DEBUG=WARN");
  }

  @Test
  void templatesAreListedWithTheirParametersAndFaults() throws IOException {
    JsonNode list = http.get("/v1/templates").json().path("templates");
    assertThat(list).hasSize(2);
    assertThat(list.path(0).path("fault").asString()).contains("there is no key 'imgae' here");
    JsonNode hello = http.get("/v1/templates/hello").json();
    assertThat(hello).isEqualTo(list.path(1));
    assertThat(hello.path("description").asString()).isEqualTo("Ranks that say where they run.");
    assertThat(hello.path("parameters").path(0).toString())
        .isEqualTo(
            "{\"name\":\"ranks\",\"type\":\"integer\",\"help\":\"how many\",\"by_default\":[\"2\"],"
                + "\"choices\":[],\"min\":\"1\",\"max\":\"64\"}");
    assertThat(hello.path("parameters").path(1).has("by_default")).isFalse();
    assertThat(http.get("/v1/templates/none").status()).isEqualTo(404);
  }

  @Test
  void whatIsChangedIsToldAtOnceAndWhatIsWrongChangesNothing() throws IOException {
    Path more = Files.createDirectory(directory.resolve("site.d"));
    assertThat(http.get("/v1/site").json().path("defaults")).hasSize(1);
    Files.writeString(more.resolve("10.yaml"), "defaults: {mem: 4G}\n");
    assertThat(http.get("/v1/site").json().path("defaults")).hasSize(2);
    Files.writeString(more.resolve("10.yaml"), "defaults: {mem: 4 elephants}\n");
    assertThat(http.get("/v1/site").json().path("defaults")).hasSize(2);
  }
}
