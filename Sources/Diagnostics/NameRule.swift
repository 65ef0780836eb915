/// What a name of a user's (a class, a column, a tensor, a key) may be: bounded, so that comparing,
/// hashing and printing it cost what its length says and no more.
public enum NameRule {
    /// Bytes of UTF-8.
    public static let limit = 1024

    /// What keeps `name` from being used, in words for "found …"; nil for a usable name.
    public static func fault(in name: some StringProtocol) -> String? {
        let count = name.utf8.count
        if count > limit { return "\(count) bytes" }
        return isStreamSafe(name) ? nil : "more than 30 combining marks in a row"
    }

    /// What is expected of a name, in words for "expected …".
    public static let expected = "at most \(limit) bytes and 30 combining marks in a row"

    /// Whether no run of combining marks is longer than 30 (Unicode Standard Annex 15, Stream-Safe
    /// Text Format), which real text never is. Comparing and hashing text takes time that grows with
    /// the square of such a run.
    public static func isStreamSafe(_ text: some StringProtocol) -> Bool {
        var run = 0
        for scalar in text.unicodeScalars {
            if scalar.isASCII || scalar.properties.canonicalCombiningClass == .notReordered {
                run = 0
            } else {
                run += 1
                if run > 30 { return false }
            }
        }
        return true
    }
}
