// SPDX-License-Identifier: Apache-2.0
package dev.consort.template;

import dev.consort.api.Allocation;
import dev.consort.api.Operation;
import dev.consort.api.Schedule;
import dev.consort.api.Storage;
import dev.consort.api.Tensor;
import dev.consort.spi.BasePlan;
import java.util.List;

/** A graph's operations in order, each bound to the places of its tensors. */
final class TemplatePlan extends BasePlan {
  private record Step(Operation operation, List<TemplateTensor> sources, TemplateTensor result) {}

  private final TemplateDevice device;
  private final List<Step> steps;

  TemplatePlan(
      TemplateBackend backend, TemplateDevice device, Schedule schedule, Allocation allocation) {
    super(backend);
    this.device = device;
    // A result that nobody reads has no place, and needs no work.
    steps =
        schedule.steps().stream()
            .flatMap(step -> step.nodes().stream())
            .filter(allocation::holds)
            .map(node -> bind(node, allocation))
            .toList();
  }

  private Step bind(Tensor node, Allocation allocation) {
    List<TemplateTensor> sources =
        node.sources().stream().map(source -> bind(allocation.storage(source))).toList();
    return new Step(node.operation(), sources, bind(allocation.storage(node)));
  }

  private TemplateTensor bind(Storage storage) {
    return new TemplateTensor(storage.tensor(), device.buffers().at(storage));
  }

  /** An error while it runs is the device's end, and surfaces at the next synchronizing call. */
  void run() {
    for (Step step : steps) {
      try {
        TemplateKernels.run(step.operation(), step.sources(), step.result());
      } catch (RuntimeException e) {
        device.poison().fail(step.operation().label(), String.valueOf(e.getMessage()), e);
        return;
      }
    }
  }
}
