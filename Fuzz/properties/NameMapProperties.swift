import Diagnostics
import PyTorchFiles

enum NameMapProperties {
    /// Lines `from:to` of rules; the last line is the name that they are tried on.
    static func rules(_ bytes: [UInt8]) throws -> Bool {
        var lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let name = String(lines.popLast() ?? "")
        return try accepted {
            let rules = lines.map { line in
                let parts = line.split(
                    separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                return NameMap.Rule(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
            }
            let map = try NameMap(name: "input", rules: rules)
            let first = map(name)
            try promise(first == map(name), "another name at the second time")
            if rules.isEmpty { try promise(first == name, "a name changes without a rule") }
        }
    }
}
