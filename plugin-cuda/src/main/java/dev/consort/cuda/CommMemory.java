// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.cuda.driver.DeviceBlock;
import java.util.ArrayList;
import java.util.List;

/** As many bytes on every member of a comm, for as long as it is tried out. */
final class CommMemory implements AutoCloseable {
  private final CudaComm comm;
  private final List<DeviceBlock> blocks = new ArrayList<>();

  CommMemory(CudaComm comm, long bytes) {
    this.comm = comm;
    try {
      for (int rank = 0; rank < comm.size(); rank++) {
        comm.backend(rank).device().gpu().bind();
        blocks.add(new DeviceBlock(bytes));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** An address a member. */
  List<Long> places() {
    return blocks.stream().map(DeviceBlock::address).toList();
  }

  @Override
  public void close() {
    for (int rank = 0; rank < blocks.size(); rank++) {
      comm.backend(rank).device().gpu().bind();
      blocks.get(rank).close();
    }
  }
}
