package io.hpcrun.spec;

import java.util.Locale;

/**
 * What the user wants of the network between nodes.
 *
 * @param kind the fabric to use ({@code --fabric})
 * @param required whether a node that cannot serve it, and ranks that do not use it, end the launch
 *     ({@code --require-fabric})
 * @param memlock bytes that ranks must be able to lock where it is required
 */
public record FabricChoice(Kind kind, boolean required, long memlock) {
  /** Unless {@link #MEMLOCK_VARIABLE} says otherwise: 1 GiB. */
  public static final long DEFAULT_MEMLOCK = 1L << 30;

  /** Names another size where adapters do with less, such as by on-demand paging. */
  public static final String MEMLOCK_VARIABLE = "HPCRUN_MEMLOCK";

  /** Each node uses the best that it has. */
  public static final FabricChoice AUTO = new FabricChoice(Kind.AUTO, false, DEFAULT_MEMLOCK);

  /** The kinds of fabrics. */
  public enum Kind {
    /** The fastest that a node has. */
    AUTO("RDMA"),
    /** InfiniBand. */
    INFINIBAND("InfiniBand"),
    /** RDMA over Ethernet. */
    ROCE("RoCE"),
    /** HPE Slingshot. */
    SLINGSHOT("Slingshot"),
    /** Cornelis (Intel) Omni-Path. */
    OMNIPATH("Omni-Path"),
    /** Amazon's Elastic Fabric Adapter. */
    EFA("EFA"),
    /** No RDMA. */
    TCP("TCP");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    /** The word in options and scripts. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The name in messages. */
    public String title() {
      return title;
    }
  }
}
