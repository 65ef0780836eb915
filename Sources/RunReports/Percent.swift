import Report

package func percent(_ share: Double) -> String { Numbers.fixed(share * 100, 1) + " %" }

/// The same for a share that may not be known.
package func share(_ share: Double?) -> String { share.map(percent) ?? "unknown" }
