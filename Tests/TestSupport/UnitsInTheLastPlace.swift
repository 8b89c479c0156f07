/// The distance of `value` from `exact` in units of the last place of Float32 at `exact`; 0 where both are NaN or the
/// same infinity. Results below the normal range are measured in the smallest normal number's last place, because the
/// kernels may flush there.
public func unitsInTheLastPlace(_ value: Float, from exact: Double) -> Double {
    if value.isNaN || exact.isNaN { return value.isNaN && exact.isNaN ? 0 : .infinity }
    if Double(value) == exact { return 0 }
    let rounded = Float(exact)
    guard value.isFinite, rounded.isFinite else { return value == rounded ? 0 : .infinity }
    let unit = max(rounded.magnitude, .leastNormalMagnitude).ulp
    return abs(Double(value) - exact) / Double(unit)
}
