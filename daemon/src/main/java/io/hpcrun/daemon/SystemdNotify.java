package io.hpcrun.daemon;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the service goes (sd_notify(3)): a datagram to the Unix socket in {@code
 * NOTIFY_SOCKET}. Java has no datagrams on Unix sockets, so the C library's functions are called.
 */
final class SystemdNotify {
  private static final Logger LOG = LoggerFactory.getLogger(SystemdNotify.class);
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int PATH_LENGTH = 108;

  private final Optional<String> socket;

  /** Tells the socket of this name, where there is one; {@code @} begins an abstract one. */
  SystemdNotify(String socket) {
    this.socket = Optional.ofNullable(socket).filter(name -> name.matches("[/@].+"));
  }

  /** The service answers. */
  void ready() {
    send("READY=1");
  }

  /** It reads its settings anew; {@link #ready} follows. */
  void reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
  }

  /** It ends. */
  void stopping() {
    send("STOPPING=1");
  }

  private void send(String state) {
    socket.ifPresent(
        name -> {
          try {
            send(name, state.getBytes(StandardCharsets.UTF_8));
          } catch (Throwable notTold) {
            LOG.warn("systemd was not told '{}': {}", state, notTold.toString());
          }
        });
  }

  private static void send(String name, byte[] state) throws Throwable {
    byte[] path = name.getBytes(StandardCharsets.UTF_8);
    if (path.length >= PATH_LENGTH) {
      throw new IllegalArgumentException("NOTIFY_SOCKET is too long");
    }
    if (path[0] == '@') {
      path[0] = 0;
    }
    MethodHandle open =
        function("socket", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    MethodHandle close = function("close", ValueLayout.JAVA_INT);
    int descriptor = (int) open.invokeExact(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
      throw new IllegalStateException("socket(2) failed");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(2 + PATH_LENGTH);
      address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
      MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, 2, path.length);
      MemorySegment text = arena.allocate(state.length);
      MemorySegment.copy(state, 0, text, ValueLayout.JAVA_BYTE, 0, state.length);
      MethodHandle sendto =
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().find("sendto").orElseThrow(),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT,
                      ValueLayout.ADDRESS,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT,
                      ValueLayout.ADDRESS,
                      ValueLayout.JAVA_INT));
      long sent =
          (long)
              sendto.invokeExact(
                  descriptor, text, (long) state.length, 0, address, 2 + path.length);
      if (sent != state.length) {
        throw new IllegalStateException("sendto(2) failed");
      }
    } finally {
      int ignored = (int) close.invokeExact(descriptor);
    }
  }

  private static MethodHandle function(String name, ValueLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(
            Linker.nativeLinker().defaultLookup().find(name).orElseThrow(),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
  }
}
