/// A share in percent with one digit: `91.5 %`.
package func percent(_ share: Double) -> String { Numbers.fixed(share * 100, 1) + " %" }
