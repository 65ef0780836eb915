import Report

/// A share in percent that may not be known.
package func share(_ share: Double?) -> String { share.map(percent) ?? "unknown" }
