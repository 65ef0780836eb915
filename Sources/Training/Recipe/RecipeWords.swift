import Diagnostics
import Yams

/// Hints for recipes in the words of other tools, and for numbers that YAML reads differently from how
/// they look.
enum RecipeWords {
    /// By a word of another tool, the keys of a recipe that mean the same.
    static let synonyms: [String: [String]] = [
        "lr": ["learning-rate"], "eta": ["learning-rate"], "step-size": ["learning-rate"],
        "rate": ["learning-rate"], "base-lr": ["learning-rate"], "ema-decay": ["ema"],
        "model-ema": ["ema"], "model-ema-decay": ["ema"],
        "wd": ["weight-decay"], "decay": ["weight-decay"], "l2": ["weight-decay"],
        "bs": ["batch"], "batch-size": ["batch"], "minibatch": ["batch"],
        "epoch": ["epochs"], "n-epochs": ["epochs"], "num-epochs": ["epochs"],
        "max-epochs": ["epochs"], "iterations": ["epochs"],
        "arch": ["model", "name"], "architecture": ["model", "name"],
        "network": ["model", "name"], "net": ["model", "name"],
        "student": ["model"], "backbone": ["model"],
        "opt": ["optimizer"], "optim": ["optimizer"], "optimiser": ["optimizer"],
        "scheduler": ["schedule"], "lr-scheduler": ["schedule"], "dataset": ["data"],
        "loss": ["method"], "algorithm": ["method"], "train": ["training"],
        "random-seed": ["seed"], "file": ["path"], "csv": ["path"], "target": ["label"],
        "type": ["kind", "name"], "kind": ["name"], "name": ["kind"], "temp": ["temperature"],
        "tau": ["temperature"], "noise-rate": ["rate"], "val": ["validation"],
        "classes": ["class-names"], "sep": ["delimiter"], "separator": ["delimiter"],
        "betas": ["beta1"],
    ]

    /// What to do about a key that nothing asked for.
    ///
    /// - Parameters:
    ///   - path: the keys above it.
    ///   - known: the keys that may stand in its place.
    static func hint(key: String, in path: [String], known: [String]) -> String {
        if key == "<<" { return "merge keys are not read: write the keys out" }
        let word = key.lowercased().replacing("_", with: "-")
        if known.contains(word) { return "did you mean \"\(word)\"?" }
        if let new = RenamedWords.key(word, among: known) { return RenamedWords.hint(new) }
        if let same = synonyms[word]?.first(where: known.contains) {
            return "did you mean \"\(same)\"?"
        }
        // A key of another part is mended by moving it, whose name the hint gives.
        if path.isEmpty, let part = parts.first(where: { $0.value.contains(word) })?.key,
            known.contains(part)
        {
            return "did you mean \"\(part).\(word)\"?"
        }
        if path.isEmpty, let same = synonyms[word]?.first,
            let part = ["optimizer", "training", "data"].first(where: {
                parts[$0]?.contains(same) == true && known.contains($0)
            })
        {
            return "did you mean \"\(part).\(same)\"?"
        }
        return Suggestion.hint(for: key, among: known)
    }

    /// The key before and the number that was meant, where a mapping in braces has a number with a
    /// comma: `{rate: 0,01}` is a rate of 0 and a key 01 without a value.
    static func decimalComma(in mapping: Node.Mapping) -> (key: String, found: String)? {
        for (before, after) in zip(mapping, mapping.dropFirst()) {
            guard case .scalar(let digits) = after.key, case .scalar(let rest) = after.value,
                rest.string.isEmpty, rest.style == .plain || rest.style == .any,
                case .scalar(let whole) = before.value, let key = before.key.string,
                isDigits(digits.string), isDigits(whole.string)
            else { continue }
            return (key, "\(whole.string),\(digits.string)")
        }
        return nil
    }

    private static func isDigits(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        return !digits.isEmpty && digits.count < 20 && digits.allSatisfy { 48...57 ~= $0 }
    }

    /// Keys that belong inside a part and are often put beside it.
    static let parts: [String: Set<String>] = [
        "optimizer": ["learning-rate", "weight-decay", "momentum", "nesterov"],
        "training": ["epochs", "batch"],
        "data": ["path", "label", "folder", "class-names", "validation", "delimiter"],
    ]

    /// The key among `extra`, which nothing asked for, that was most likely meant for `key`.
    static func slip(for key: String, in path: [String], among extra: [String]) -> String? {
        extra.first { RenamedWords.key($0, among: [key]) != nil }
            ?? extra.first { word in
                synonyms[word.lowercased().replacing("_", with: "-")]?.contains(key) == true
            } ?? Suggestion.nearest(to: key, among: extra)
    }

    /// Whether two versions of YAML read a number differently: `010` is 8 in one and 10 in the
    /// other, `1:30` is 90 and no number.
    static func isAmbiguous<Value>(_ scalar: Node.Scalar, _ type: Value.Type) -> Bool {
        guard type != Bool.self else { return false }
        return scalar.string.contains(":")
            || (hasLeadingZero(scalar.string) && (isWhole(type) || isDigits(scalar.string)))
    }

    private static func isWhole<Value>(_ type: Value.Type) -> Bool {
        type == Int.self || type == UInt64.self
    }

    private static func hasLeadingZero(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        guard digits.first == UInt8(ascii: "0"), let second = digits.dropFirst().first else {
            return false
        }
        return 48...57 ~= second || second == UInt8(ascii: "_")
    }

    /// What to do about a value that is no number or truth value.
    static func hint<Value>(value scalar: Node.Scalar, _ type: Value.Type) -> String? {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else {
            return text.isEmpty ? nil : "leave the quotes out"
        }
        if type != Bool.self, hasLeadingZero(text), isDigits(text) {
            return "without leading zeros"
        }
        if type == Double.self || type == Float.self,
            text.utf8.allSatisfy({ 48...57 ~= $0 || "+-,".utf8.contains($0) }),
            text.utf8.count(where: { $0 == UInt8(ascii: ",") }) == 1
        {
            return "write \(text.replacing(",", with: "."))"
        }
        return nil
    }
}
