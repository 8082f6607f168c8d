// SPDX-License-Identifier: Apache-2.0
package dev.consort.tck;

import dev.consort.tck.Declaration.Exclusion;
import java.lang.reflect.Method;
import java.util.Optional;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.opentest4j.TestAbortedException;

/**
 * Turns the failures that a declaration excludes into aborted tests with the exclusion's reason,
 * and a pass of what it excludes into a failure.
 */
final class Exclusions implements InvocationInterceptor {
  @Override
  public void interceptTestMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    judge(invocation, context, context.getRequiredTestMethod().getName());
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    String name = context.getRequiredTestMethod().getName() + " " + context.getDisplayName();
    judge(invocation, context, name);
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> invocation, DynamicTestInvocationContext test, ExtensionContext context)
      throws Throwable {
    judge(invocation, context, context.getDisplayName());
  }

  private static void judge(Invocation<Void> invocation, ExtensionContext context, String name)
      throws Throwable {
    KitTest test = test(context);
    String full = test.getClass().getSimpleName() + "." + name;
    Optional<Exclusion> exclusion = test.declaration().exclusion(full);
    if (exclusion.isEmpty()) {
      invocation.proceed();
      return;
    }
    try {
      invocation.proceed();
    } catch (TestAbortedException e) {
      throw excluded(exclusion.get(), e);
    } catch (RuntimeException | AssertionError e) {
      if (exclusion.get().kind() == Exclusion.Kind.UNSUPPORTED && e instanceof WrongResult) {
        throw e;
      }
      throw excluded(exclusion.get(), e);
    }
    throw new AssertionError(
        "%s passes, but is excluded as %s because \"%s\"; remove the exclusion"
            .formatted(full, exclusion.get().kind().label(), exclusion.get().reason()));
  }

  private static TestAbortedException excluded(Exclusion exclusion, Throwable cause) {
    return new TestAbortedException(
        "%s: %s".formatted(exclusion.kind().label(), exclusion.reason()), cause);
  }

  /** A dynamic test's own context has no instance, that of its factory has. */
  private static KitTest test(ExtensionContext context) {
    ExtensionContext at = context;
    while (at.getTestInstance().isEmpty()) {
      at = at.getParent().orElseThrow();
    }
    return (KitTest) at.getRequiredTestInstance();
  }
}
