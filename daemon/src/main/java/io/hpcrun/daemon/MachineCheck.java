package io.hpcrun.daemon;

import io.hpcrun.daemon.api.Accounts;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether valid settings fit this machine: {@code hpcrund check} says what does not, and so does
 * the log at each start. What only the daemon's user can tell, such as where it may write, is not
 * looked at.
 */
final class MachineCheck {
  private static final int SETGID = 02000;
  private static final int STICKY = 01000;
  private static final int OTHERS_WRITE = 0022;
  private static final int OTHERS_READ = 0044;

  private final List<Finding> findings = new ArrayList<>();

  /**
   * Something that does not fit.
   *
   * @param text what was found
   * @param remedy what to do
   */
  record Finding(String text, String remedy) {}

  private MachineCheck() {}

  /** What does not fit, in the order of the settings. */
  static List<Finding> of(Settings settings) {
    MachineCheck check = new MachineCheck();
    settings.spool().ifPresent(check::spool);
    settings.operators().forEach(check::group);
    settings.images().directory().ifPresent(each -> check.directory("daemon.images", each));
    settings.images().keys().ifPresent(each -> check.file("daemon.images.keys", each));
    settings
        .tcp()
        .flatMap(Settings.Tcp::certificate)
        .ifPresent(each -> check.file("daemon.tcp.certificate", each));
    settings.tcp().flatMap(Settings.Tcp::key).ifPresent(each -> check.file("daemon.tcp.key", each));
    return check.findings;
  }

  private void spool(Path spool) {
    directory("the spool", spool);
    if (!Files.isDirectory(spool)) {
      return;
    }
    int mode;
    try {
      mode = (int) Files.getAttribute(spool, "unix:mode") & 07777;
    } catch (IOException unreadable) {
      findings.add(
          new Finding(
              "the spool " + spool + " cannot be looked at: " + unreadable,
              "check its file system"));
      return;
    }
    String found = "the spool %s has mode %04o: ".formatted(spool, mode);
    String remedy = "chmod 3733 " + spool;
    if ((mode & OTHERS_WRITE) == 0) {
      findings.add(new Finding(found + "only its owner can put records into it", remedy));
    } else if ((mode & STICKY) == 0) {
      findings.add(new Finding(found + "users can remove each other's records", remedy));
    } else if ((mode & OTHERS_READ) != 0) {
      findings.add(new Finding(found + "users can list each other's records", remedy));
    }
    if ((mode & SETGID) == 0) {
      findings.add(new Finding(found + "nobody but its user can read a record", remedy));
    } else {
      readers(spool);
    }
  }

  /** Records get the spool's group, which may read them, as jobs write them for it. */
  private void readers(Path spool) {
    String group;
    String daemon = System.getProperty("user.name");
    try {
      PosixFileAttributes attributes = Files.readAttributes(spool, PosixFileAttributes.class);
      group = attributes.group().getName();
      if (daemon.equals("root")) {
        daemon = attributes.owner().getName(); // who only checks is not the daemon
      }
    } catch (IOException unreadable) {
      findings.add(
          new Finding("the spool " + spool + " cannot be looked at: " + unreadable, "check it"));
      return;
    }
    if (!Accounts.groups(daemon).contains(group)) {
      findings.add(
          new Finding(
              "the spool %s has the group %s, in which %s is not: it can read no record"
                  .formatted(spool, group, daemon),
              "give it a group of the daemon's user: chgrp GROUP %s; chmod 3733 %s"
                  .formatted(spool, spool)));
    }
  }

  private void directory(String key, Path directory) {
    if (!Files.isDirectory(directory)) {
      findings.add(
          new Finding(
              key + ": there is no directory " + directory,
              "make it, with the daemon's user as its owner"));
    }
  }

  private void file(String key, Path file) {
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      findings.add(
          new Finding(
              key + ": there is no file " + file + " that can be read",
              "name another one, or let the daemon's user read it"));
    }
  }

  private void group(String name) {
    try {
      FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByGroupName(name);
    } catch (UserPrincipalNotFoundException none) {
      findings.add(
          new Finding(
              "daemon.operators: there is no group " + name, "make it, or name another one"));
    } catch (IOException unanswered) {
      findings.add(
          new Finding(
              "daemon.operators: whether there is a group " + name + " is not known: " + unanswered,
              "check the machine's directory service"));
    }
  }
}
