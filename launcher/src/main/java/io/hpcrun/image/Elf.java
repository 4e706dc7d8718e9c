package io.hpcrun.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.fornwall.jelf.ElfDynamicSection;
import net.fornwall.jelf.ElfFile;
import net.fornwall.jelf.ElfSection;
import net.fornwall.jelf.ElfSectionHeader;
import net.fornwall.jelf.ElfStringTable;
import net.fornwall.jelf.ElfSymbol;
import net.fornwall.jelf.ElfSymbolTableSection;
import org.slf4j.LoggerFactory;

/** What an ELF file says of itself in its dynamic section. */
final class Elf {
  private static final int SONAME = 14;
  private static final int RPATH = 15;
  private static final int RUNPATH = 29;
  private static final int WEAK = 2; // VER_FLG_WEAK

  /** Go's names of architectures by ELF machine numbers (elf.h). */
  private static final Map<Integer, String> MACHINES =
      Map.of(
          3, "386", 40, "arm", 62, "amd64", 183, "arm64", 21, "ppc64le", 22, "s390x", 243,
          "riscv64");

  private final Path file;
  private final ElfFile elf;

  private Elf(Path file, ElfFile elf) {
    this.file = file;
    this.elf = elf;
  }

  /** Reads a file; empty if it is no ELF file that makes sense. */
  static Optional<Elf> read(Path file) throws IOException {
    // Mapped: some libraries are larger than the heap.
    try (FileChannel channel = FileChannel.open(file)) {
      if (channel.size() > Integer.MAX_VALUE) {
        return Optional.empty(); // more than the library can read
      }
      ElfFile elf = ElfFile.from(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
      return Optional.of(new Elf(file, elf));
    } catch (RuntimeException | OutOfMemoryError noElf) {
      return damaged(noElf, Optional.empty());
    }
  }

  /** Reads a part; files may be damaged anywhere, or made to be, and their numbers are believed. */
  private static <T> T part(Supplier<T> reader, T otherwise) {
    try {
      return reader.get();
    } catch (RuntimeException | OutOfMemoryError damage) {
      return damaged(damage, otherwise);
    }
  }

  private static <T> T damaged(Throwable damage, T otherwise) {
    LoggerFactory.getLogger(Elf.class).debug("a damaged ELF file", damage);
    return otherwise;
  }

  String architecture() {
    return MACHINES.getOrDefault((int) elf.e_machine, "machine " + elf.e_machine);
  }

  String soname() {
    return text(SONAME).findFirst().orElse("");
  }

  List<String> needed() {
    return part(
        () -> {
          ElfDynamicSection section = elf.getDynamicSection();
          return section == null ? List.of() : section.getNeededLibraries();
        },
        List.of());
  }

  /** DT_RPATH's directories. */
  List<String> rpath() {
    return directories(RPATH);
  }

  /** DT_RUNPATH's directories. */
  List<String> runpath() {
    return directories(RUNPATH);
  }

  private List<String> directories(int tag) {
    return text(tag)
        .flatMap(value -> Arrays.stream(value.split(":")))
        .filter(directory -> !directory.isEmpty())
        .toList();
  }

  private Stream<String> text(int tag) {
    return part(() -> texts(tag), List.<String>of()).stream();
  }

  private List<String> texts(int tag) {
    ElfDynamicSection section = elf.getDynamicSection();
    ElfStringTable strings = elf.getDynamicStringTable();
    if (section == null || strings == null) {
      return List.of();
    }
    return section.entries.stream()
        .filter(entry -> entry.d_tag == tag)
        .map(entry -> strings.get((int) entry.d_val_or_ptr))
        .toList();
  }

  /** Names of dynamic symbols, defined here or wanted from elsewhere. */
  Set<String> symbols(Predicate<String> wanted) {
    return symbols(symbol -> true, wanted);
  }

  /** Names of dynamic symbols that are defined here, or of those wanted from elsewhere. */
  Set<String> symbols(boolean defined, Predicate<String> wanted) {
    return symbols(symbol -> symbol.st_shndx != 0 == defined, wanted);
  }

  private Set<String> symbols(Predicate<ElfSymbol> which, Predicate<String> wanted) {
    return part(
        () ->
            dynamicSymbols()
                .filter(which)
                .map(ElfSymbol::getName)
                .filter(name -> name != null && wanted.test(name))
                .collect(Collectors.toSet()),
        Set.of());
  }

  /**
   * A version of another library's symbols that a file needs to be loaded.
   *
   * @param library the library's name
   * @param version such as {@code GLIBC_2.38}
   * @param number by which the file's symbols name it
   */
  record Need(String library, String version, int number) {}

  /** The versions that a file needs of other libraries (Linux Standard Base, symbol versioning). */
  List<Need> versionsNeeded() {
    return part(this::readVersionsNeeded, List.of());
  }

  private List<Need> readVersionsNeeded() {
    ElfSection section = elf.firstSectionByType(ElfSectionHeader.SHT_GNU_verneed);
    ElfStringTable strings = elf.getDynamicStringTable();
    List<Need> needs = new ArrayList<>();
    if (section == null || strings == null) {
      return needs;
    }
    ByteBuffer bytes = buffer(section);
    int library = 0;
    int next = 1;
    for (int i = 0; i < section.header.sh_info && next != 0; i++) {
      int version = library + bytes.getInt(library + 8);
      int nextVersion = 1;
      for (int k = 0; k < bytes.getShort(library + 2) && nextVersion != 0; k++) {
        if ((bytes.getShort(version + 4) & WEAK) == 0) {
          needs.add(
              new Need(
                  strings.get(bytes.getInt(library + 4)),
                  strings.get(bytes.getInt(version + 8)),
                  bytes.getShort(version + 6)));
        }
        nextVersion = bytes.getInt(version + 12);
        version += nextVersion;
      }
      next = bytes.getInt(library + 12);
      library += next;
    }
    return needs;
  }

  private ByteBuffer buffer(ElfSection section) {
    return ByteBuffer.wrap(section.getData())
        .order(elf.ei_data == ElfFile.DATA_LSB ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
  }

  /** The first symbol that has a needed version; empty if the file's tables do not tell. */
  Optional<String> symbol(Need need) {
    return part(
        () -> {
          ElfSection section = elf.firstSectionByType(ElfSectionHeader.SHT_GNU_versym);
          List<ElfSymbol> symbols = dynamicSymbols().toList();
          ByteBuffer versions = section == null ? ByteBuffer.allocate(0) : buffer(section);
          for (int i = 0; i < symbols.size() && 2 * i + 1 < versions.capacity(); i++) {
            if (versions.getShort(2 * i) == need.number()) {
              return Optional.ofNullable(symbols.get(i).getName());
            }
          }
          return Optional.empty();
        },
        Optional.empty());
  }

  private Stream<ElfSymbol> dynamicSymbols() {
    ElfSymbolTableSection table = elf.getDynamicSymbolTableSection();
    return table == null ? Stream.of() : Arrays.stream(table.symbols);
  }

  /**
   * Where a dynamic symbol is, in bytes from the file's beginning as it is mapped; the first of
   * these that is defined here.
   */
  Optional<Map.Entry<String, Long>> address(List<String> names) {
    Map<String, Long> found =
        part(
            () ->
                dynamicSymbols()
                    .filter(symbol -> symbol.st_shndx != 0 && names.contains(symbol.getName()))
                    .collect(
                        Collectors.toMap(
                            ElfSymbol::getName, symbol -> symbol.st_value, (one, other) -> one)),
            Map.of());
    return names.stream()
        .filter(found::containsKey)
        .findFirst()
        .map(name -> Map.entry(name, found.get(name)));
  }

  /**
   * First match of a pattern in the file's constants, taken as Latin-1. A match that ends where
   * nothing more is read keeps no part of the file in memory.
   */
  Optional<MatchResult> find(Pattern pattern) throws IOException {
    ElfSection constants = part(() -> elf.firstSectionByName(".rodata"), null);
    try (FileChannel channel = FileChannel.open(file)) {
      long from = constants == null ? 0 : constants.header.sh_offset;
      long length = constants == null ? channel.size() : constants.header.sh_size;
      if (from < 0 || length < 0 || from + length > channel.size()) {
        return Optional.empty();
      }
      MappedByteBuffer bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, from, Math.min(length, Integer.MAX_VALUE));
      Matcher matcher = pattern.matcher(new Latin1(bytes, 0, bytes.limit()));
      return matcher.find() ? Optional.of(matcher.toMatchResult()) : Optional.empty();
    }
  }

  /** Bytes as characters, without a copy. */
  private record Latin1(ByteBuffer bytes, int from, int to) implements CharSequence {
    @Override
    public int length() {
      return to - from;
    }

    @Override
    public char charAt(int index) {
      return (char) (bytes.get(from + index) & 0xff);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Latin1(bytes, from + start, from + end);
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(length());
      return text.append(this, 0, length()).toString();
    }
  }
}
