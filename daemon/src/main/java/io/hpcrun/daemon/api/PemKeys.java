package io.hpcrun.daemon.api;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A certificate and its key from PEM files, as administrators have them. */
final class PemKeys {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

  private PemKeys() {}

  /**
   * Reads both.
   *
   * @param certificate the server's certificate, then those up to the authority
   * @param key its key, PKCS #8 without a password
   * @throws Failure with exit code 2 when they cannot be read
   */
  static KeyStore read(Path certificate, Path key) {
    try (InputStream in = Files.newInputStream(certificate)) {
      Collection<? extends Certificate> chain =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      Matcher text = KEY.matcher(Files.readString(key));
      if (chain.isEmpty() || !text.find()) {
        throw Failure.usage(
            chain.isEmpty()
                ? certificate + " holds no certificate"
                : key + " holds no key ('BEGIN PRIVATE KEY')",
            "give PEM files; openssl pkcs8 -topk8 -nocrypt makes such a key of others");
      }
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry(
          "hpcrund",
          key(Base64.getMimeDecoder().decode(text.group(1))),
          new char[0],
          chain.toArray(Certificate[]::new));
      return store;
    } catch (IOException | GeneralSecurityException unusable) {
      throw Failure.usage(
          "the certificate "
              + certificate
              + " with the key "
              + key
              + " cannot be used: "
              + unusable,
          "check daemon.tcp.certificate and daemon.tcp.key, and that hpcrund's user may read them");
    }
  }

  private static PrivateKey key(byte[] encoded) throws GeneralSecurityException {
    for (String algorithm : List.of("EC", "RSA", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      } catch (InvalidKeySpecException another) {
        continue;
      }
    }
    throw new InvalidKeySpecException("it is neither an EC, an RSA nor an EdDSA key");
  }
}
