import Diagnostics
import Foundation
import Testing
import Torch

/// The numbers of `Fixtures/robust-methods.json`: one step of every robust method, in float64, computed from the
/// formulas by a script in numpy.
struct MethodVectors {
    private let entries: [String: JSON]

    /// - Parameter name: of an entry, such as `sop`.
    init(_ name: String) throws {
        let url = try #require(
            Bundle.module.url(
                forResource: "robust-methods", withExtension: "json", subdirectory: "Fixtures"))
        let all = try JSON.read(JSON.self, Data(contentsOf: url))
        guard case .object(let methods) = all, case .object(let own)? = methods[name] else {
            throw CocoaError(.coderValueNotFound)
        }
        entries = own
    }

    /// All numbers under a key, row by row.
    func numbers(_ key: String) throws -> [Double] {
        Self.flat(try #require(entries[key], "no \(key)"))
    }

    func number(_ key: String) throws -> Double { try #require(numbers(key).first) }
    func ints(_ key: String) throws -> [Int] { try numbers(key).map { Int($0) } }

    /// A matrix of float64 [rows, …].
    func matrix(_ key: String, rows: Int = 6) throws -> Tensor {
        let values = try numbers(key)
        return Tensor(values, [rows, values.count / rows])
    }

    private static func flat(_ json: JSON) -> [Double] {
        switch json {
        case .int(let value): [Double(value)]
        case .number(let value): [value]
        case .list(let list): list.flatMap(flat)
        case .object(let members): members.sorted { $0.key < $1.key }.flatMap { flat($0.value) }
        case .null, .bool, .text: []
        }
    }

    /// Central differences of a scalar function of a float64 tensor.
    static func differences(_ x: Tensor, step: Double = 1e-6, _ f: (Tensor) -> Double) -> [Double] {
        let values = x.doubles()
        return values.indices.map { i in
            func moved(_ by: Double) -> Double {
                var values = values
                values[i] += by
                return f(Tensor(values, x.shape))
            }
            return (moved(step) - moved(-step)) / (2 * step)
        }
    }
}
