package io.hpcrun.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * OCI registries on the login node (Debian's docker-registry): one for everybody, and one with the
 * same images for who logs in. Images are made by hand, of a static busybox and of noise.
 */
public final class LabRegistry implements AutoCloseable {
  /** The registry for everybody. */
  public static final String OPEN = "127.0.0.1:5000";

  /** The registry for {@link #USER} with {@link #PASSWORD}. */
  public static final String PRIVATE = "127.0.0.1:5001";

  /** Who may read the private registry. */
  public static final String USER = "alice";

  /** That user's password. */
  public static final String PASSWORD = "se-cret-42";

  private static final String START =
      """
      set -e
      mkdir -p /var/tmp/registry
      cd /var/tmp/registry
      printf '%s\\n' 'version: 0.1' 'log: {level: info}' \\
        'storage: {filesystem: {rootdirectory: /var/tmp/registry/data}}' "http: {addr: '$1'}" >open.yml
      sed "s/$1/$2/" open.yml >private.yml
      printf '%s\\n' 'auth: {htpasswd: {realm: lab, path: /var/tmp/registry/htpasswd}}' >>private.yml
      printf '%s\\n' "$3" >htpasswd
      for each in open private; do
        setsid -f docker-registry serve $each.yml </dev/null >>$each.log 2>&1
      done
      """;

  /** Pushes by the API of the distribution specification. */
  private static final String PUSH =
      """
      set -e
      name=$2 tag=$3 kibibytes=$4 base=http://$1/v2/$2
      shift 4
      work=$(mktemp -d)
      cd "$work"
      blob() {
        local place
        place=$(curl -sSf -o /dev/null -D - -X POST "$base/blobs/uploads/" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
        curl -sSf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" \\
          "$place$([[ $place == *\\?* ]] && echo '&' || echo '?')digest=$(digest "$1")"
      }
      digest() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
      entry() {
        printf '{"mediaType":"application/vnd.oci.image.%s","digest":"%s","size":%d' "$1" "$(digest "$2")" "$(stat -c %s "$2")"
      }
      mkdir -p root/bin root/etc noise
      cp /bin/busybox root/bin/busybox
      for applet in sh cat echo sleep hostname; do ln -s busybox "root/bin/$applet"; done
      printf 'ID=tiny\\n# %s:%s\\n' "$name" "$tag" >root/etc/os-release # no layer is another image's, too
      touch root/etc/passwd root/etc/group
      index=()
      for architecture in "$@"; do
        head -c "${kibibytes}K" /dev/urandom >noise/noise
        tar -C root -cf one.tar . && tar -C noise -cf two.tar .
        printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["%s","%s"]}}' \\
          "$architecture" "$(digest one.tar)" "$(digest two.tar)" >config
        gzip -n1f one.tar two.tar
        for file in one.tar.gz two.tar.gz config; do blob "$file"; done
        printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s},"layers":[%s},%s}]}' \\
          "$(entry config.v1+json config)" "$(entry layer.v1.tar+gzip one.tar.gz)" "$(entry layer.v1.tar+gzip two.tar.gz)" >manifest
        curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @manifest \\
          "$base/manifests/$(digest manifest)"
        index+=("$(entry manifest.v1+json manifest),\\"platform\\":{\\"os\\":\\"linux\\",\\"architecture\\":\\"$architecture\\"}}")
      done
      (IFS=, && printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "${index[*]}") >index
      curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @index "$base/manifests/$tag"
      sha256sum one.tar.gz two.tar.gz | cut -d' ' -f1
      rm -rf "$work"
      """;

  /** {@link #PASSWORD}, as htpasswd(1) keeps it. */
  private static final String HASH = "$2y$05$dRExq0NGmfGcCRHEHszMmu3Fp9ZY2IEmISvMAXT/0xl.fQHtk.pm6";

  private final Login root;

  /** Starts both. */
  public LabRegistry(LabCluster lab) {
    root = lab.as("root", LabCluster.LOGIN_NODE);
    root.bash(START, OPEN, PRIVATE, USER + ":" + HASH).succeeded();
    for (String each : List.of(OPEN, PRIVATE)) {
      Jobs.await(
          "the registry at " + each,
          () ->
              root.run("curl", "-s", "-o", "/dev/null", "http://" + each + "/v2/").exitCode() == 0);
    }
  }

  /**
   * Makes an image and pushes it.
   *
   * @return the digests of the layers for the last architecture, in hexadecimal
   */
  public List<String> push(String name, String tag, int kibibytes, String... architectures) {
    List<String> words = new ArrayList<>(List.of(OPEN, name, tag, String.valueOf(kibibytes)));
    words.addAll(List.of(architectures));
    return root.bash(PUSH, words.toArray(String[]::new)).succeeded().lines();
  }

  /** How many times the open registry has sent a blob. */
  public long sent(String digest) {
    Pattern request = Pattern.compile("\"GET /v2/\\S+/blobs/sha256:" + digest + " HTTP/1.1\" 200 ");
    return root.bash("cat /var/tmp/registry/open.log").succeeded().lines().stream()
        .filter(line -> request.matcher(line).find())
        .count();
  }

  /** Stops both, or lets them go on: {@code STOP}, {@code CONT}. */
  public void signal(String name) {
    root.run("pkill", "-" + name, "-x", "docker-registry").succeeded();
  }

  @Override
  public void close() {
    root.bash("pkill -CONT -x docker-registry; pkill -x docker-registry; rm -rf /var/tmp/registry")
        .succeeded();
  }
}
