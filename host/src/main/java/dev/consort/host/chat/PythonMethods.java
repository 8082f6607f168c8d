// SPDX-License-Identifier: Apache-2.0
package dev.consort.host.chat;

import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/** What Python's strings and dictionaries can do and Java's can't, or do in another way. */
final class PythonMethods extends ELResolver {
  private static final Pattern INDEX = Pattern.compile("-?\\d{1,9}");
  private static final String SPACE = " \t\n\r\f\u000b";

  @Override
  public @Nullable Object invoke(
      ELContext context,
      @Nullable Object base,
      Object method,
      Class<?> @Nullable [] types,
      Object @Nullable [] given) {
    Object[] arguments = given == null ? new Object[0] : given;
    Object result = null;
    if (base instanceof CharSequence text) {
      result = ofString(text.toString(), method.toString(), arguments);
    } else if (base instanceof Map<?, ?> map
        && method.toString().equals("get")
        && arguments.length == 2) {
      Object found = map.get(arguments[0]);
      result = found == null ? arguments[1] : found;
    }
    if (result != null) {
      context.setPropertyResolved(true);
    }
    return result;
  }

  private static @Nullable Object ofString(String text, String method, Object[] arguments) {
    String first = arguments.length > 0 && arguments[0] != null ? arguments[0].toString() : "";
    String set = arguments.length > 0 ? first : SPACE;
    return switch (method) {
      case "startswith" -> text.startsWith(first);
      case "endswith" -> text.endsWith(first);
      case "strip" -> left(right(text, set), set);
      case "lstrip" -> left(text, set);
      case "rstrip" -> right(text, set);
      case "split" -> arguments.length == 1 ? split(text, first) : null;
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      default -> null;
    };
  }

  private static String left(String text, String set) {
    int at = 0;
    while (at < text.length() && set.indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return text.substring(at);
  }

  private static String right(String text, String set) {
    int end = text.length();
    while (end > 0 && set.indexOf(text.charAt(end - 1)) >= 0) {
      end--;
    }
    return text.substring(0, end);
  }

  private static List<String> split(String text, String separator) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(separator);
        at >= 0 && !separator.isEmpty();
        at = text.indexOf(separator, from)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  @Override
  public @Nullable Object getValue(ELContext context, @Nullable Object base, Object property) {
    if (base instanceof CharSequence text && INDEX.matcher(property.toString()).matches()) {
      int index = Integer.parseInt(property.toString());
      int at = index < 0 ? text.length() + index : index;
      if (at >= 0 && at < text.length()) {
        context.setPropertyResolved(true);
        return text.subSequence(at, at + 1).toString();
      }
    }
    return null;
  }

  @Override
  public @Nullable Class<?> getType(ELContext context, @Nullable Object base, Object property) {
    return null;
  }

  @Override
  public void setValue(
      ELContext context, @Nullable Object base, Object property, @Nullable Object value) {}

  @Override
  public boolean isReadOnly(ELContext context, @Nullable Object base, Object property) {
    return false;
  }

  @Override
  public Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
    return Object.class;
  }

  @Override
  public Iterator<FeatureDescriptor> getFeatureDescriptors(
      ELContext context, @Nullable Object base) {
    return Collections.emptyIterator();
  }
}
