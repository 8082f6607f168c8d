// SPDX-License-Identifier: Apache-2.0
package dev.consort.cuda;

import dev.consort.api.Backend;
import dev.consort.api.Comm;
import dev.consort.api.CommInit;
import dev.consort.api.CopyTensor;
import dev.consort.api.WirePolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Joins streams of distinct GPUs that reach each other's memory. Streams that share a GPU would
 * wait for each other on the same processors, and GPUs without peer access have no short way: for
 * both the host's own collectives do better.
 */
final class CudaCommInit implements CommInit {
  private static final Logger LOG = LoggerFactory.getLogger(CudaCommInit.class);

  private final CopyTensor copies;

  CudaCommInit(CopyTensor copies) {
    this.copies = copies;
  }

  @Override
  public Optional<Comm> init(List<Backend> members, WirePolicy wire) {
    List<CudaBackend> own = new ArrayList<>();
    for (Backend member : members) {
      if (!(member instanceof CudaBackend backend)) {
        return Optional.empty();
      }
      own.add(backend);
    }
    long devices = own.stream().map(CudaBackend::device).distinct().count();
    if (own.isEmpty() || own.size() > CudaComm.MOST_MEMBERS || devices != own.size()) {
      return Optional.empty();
    }
    own.forEach(backend -> backend.device().poison().check());
    for (CudaBackend from : own) {
      for (CudaBackend to : own) {
        if (from != to && !copies.connects(from.device(), to.device())) {
          LOG.warn(
              "{} and {} do not reach each other's memory; sums go through the host",
              from.device().info().id(),
              to.device().info().id());
          return Optional.empty();
        }
      }
    }
    CudaComm comm = CudaComm.open(own, wire);
    boolean good = CommCheck.passes(comm);
    if (good && own.size() > 1 && own.getFirst().device().settings().ways().isEmpty()) {
      CommTrial.fastest(comm).ifPresent(comm::choose);
    }
    if (!good || comm.hasFailed()) {
      LOG.warn("sums over {} came out wrong; they go through the host", comm.names());
      comm.close();
      return Optional.empty();
    }
    LOG.info("sums over {} go {}", comm.names(), comm.ways());
    return Optional.of(comm);
  }
}
