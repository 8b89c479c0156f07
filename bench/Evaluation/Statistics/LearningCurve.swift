/// A score at increasing numbers of training steps.
public struct LearningCurve: Equatable, Sendable {
    public struct Point: Equatable, Sendable, Codable {
        /// Time steps of training.
        public let steps: Int
        public let score: Double

        public init(steps: Int, score: Double) {
            self.steps = steps
            self.score = score
        }
    }

    public let points: [Point]

    /// - Parameter points: at least one; their steps increase.
    public init(_ points: [Point]) {
        precondition(!points.isEmpty, "a curve without points")
        precondition(zip(points, points.dropFirst()).allSatisfy { $0.steps < $1.steps }, "steps that do not increase")
        self.points = points
    }

    /// The mean height from the first point to the last, linear between points: the area under the curve (trapezoids)
    /// over its width, in units of the score. Of one point its score.
    public var meanHeight: Double {
        guard points.count > 1 else { return points[0].score }
        var area = 0.0
        for (left, right) in zip(points, points.dropFirst()) {
            area += Double(right.steps - left.steps) * (left.score + right.score) / 2
        }
        return area / Double(points.last!.steps - points[0].steps)
    }

    /// The score at a number of steps, linear between points; nil outside of the curve.
    public func score(at steps: Int) -> Double? {
        guard let right = points.firstIndex(where: { $0.steps >= steps }) else { return nil }
        if points[right].steps == steps { return points[right].score }
        guard right > 0 else { return nil }
        let (left, next) = (points[right - 1], points[right])
        let share = Double(steps - left.steps) / Double(next.steps - left.steps)
        return left.score + share * (next.score - left.score)
    }

    /// Steps at which the score first reaches `threshold`, linear between points; nil if it never does.
    public func steps(to threshold: Double) -> Int? {
        guard let first = points.firstIndex(where: { $0.score >= threshold }) else { return nil }
        guard first > 0 else { return points[0].steps }
        let (left, right) = (points[first - 1], points[first])
        let share = (threshold - left.score) / (right.score - left.score)
        return left.steps + Int((share * Double(right.steps - left.steps)).rounded())
    }
}
