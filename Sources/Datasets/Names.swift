/// Where each name stands; of equal ones the first.
func places(of names: [String]) -> [String: Int] {
    Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
}

/// The number that names count from, one after the other, where they only stand in for names: 0 or 1.
/// Nil for names proper, which may be numbers as well (years).
func firstNumber(of names: [String]) -> Int? {
    [0, 1].first { first in names.indices.allSatisfy { names[$0] == "\($0 + first)" } }
}
