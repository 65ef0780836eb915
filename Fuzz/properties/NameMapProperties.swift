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
            let new = try NameMap(name: "input", rules: rules)(name)
            guard let rule = try rules.first(where: { try fits($0, name) }) else {
                return try promise(new == name, "a name changes without a rule")
            }
            try promise(
                new == NameMap(name: "alone", rules: [rule])(name),
                "another rule decides than the first that fits")
            guard let new else { return try promise(rule.to.isEmpty, "a name is dropped") }
            let back = try NameMap(name: "back", rules: [.init(rule.to, rule.from)])
            try promise(back(new) == name, "stars are not what they stood for")
        }
    }

    /// A rule without a new name drops what it fits.
    private static func fits(_ rule: NameMap.Rule, _ name: String) throws -> Bool {
        try NameMap(name: "fits", rules: [.init(rule.from, "")])(name) == nil
    }
}
